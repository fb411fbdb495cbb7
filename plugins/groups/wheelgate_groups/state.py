"""The section ``[groups]`` of a state file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from wheelgate import Server
from wheelgate.errors import NotFound
from wheelgate.state_sections import StateChange, StateOptions, StateSection, entries, entry_label, settle
from wheelgate_groups.group import GROUP_FIELDS, Group
from wheelgate_groups.local_groups import GroupService


class GroupSection(StateSection):
    """Declares groups, with the keys of ``/+x/groups``."""

    name = "groups"

    def __init__(self, server: Server) -> None:
        self._groups = GroupService(server)

    def export(self) -> Mapping[str, Any]:
        """Return all groups."""
        return {group.name: group.config for group in self._groups.list()}

    def prepare(self, declared: Mapping[str, Any], options: StateOptions) -> PreparedGroups:
        """Read the table."""
        return PreparedGroups(self._groups, entries("groups", declared, GROUP_FIELDS), prune=options.prune)


class PreparedGroups:
    """The groups that a file declares."""

    def __init__(self, groups: GroupService, tables: Mapping[str, Mapping[str, Any]], *, prune: bool) -> None:
        self._groups = groups
        self._tables = tables
        self._prune = prune

    def delete(self) -> Iterator[StateChange]:
        """Delete groups that are not declared."""
        for group in self._groups.list() if self._prune else ():
            if group.name not in self._tables:
                self._groups.delete(group.name, allowed)
                yield StateChange("delete", "group", group.name)

    def write(self) -> Iterator[StateChange]:
        """Create and change groups, in an order that fits their members."""
        return settle({entry_label("groups", name): partial(self._write, name) for name in self._tables})

    def _write(self, name: str) -> StateChange | None:
        table = dict(self._tables[name])
        try:
            self._groups.get(name)
        except NotFound:
            created = self._groups.create(name, table, allowed)
            return StateChange("create", "group", name, changed_keys(Group(name), created))
        before, after = self._groups.modify(name, table, allowed)
        return StateChange("modify", "group", name, changed_keys(before, after)) if before != after else None


def allowed() -> None:
    """Confirm a change: who can run the command on the server's machine may make it."""


def changed_keys(before: Group, after: Group) -> dict[str, tuple[Any, Any]]:
    """Return the keys with other values."""
    old, new = before.config, after.config
    return {key: (old.get(key), new.get(key)) for key in GROUP_FIELDS if old.get(key) != new.get(key)}
