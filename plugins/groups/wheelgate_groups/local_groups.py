"""Creates, changes and deletes groups, and reports the groups of a user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wheelgate import Server
from wheelgate.errors import BadInput, Conflict, NotFound
from wheelgate.fields import excerpt, parse_list
from wheelgate.names import check_name, fold
from wheelgate.providers import GroupSource
from wheelgate_groups.group import Group, apply_body
from wheelgate_groups.queries import GroupTables

RESERVED_GROUP_NAMES = frozenset({"anonymous", "authenticated"})
"""Names that look like ``:ANONYMOUS:`` and ``:AUTHENTICATED:``, folded."""


class LocalGroupSource(GroupSource):
    """Reports the stored groups of a user."""

    name = "local-groups"
    live = True

    def __init__(self, server: Server) -> None:
        self._tables = GroupTables(server.database)
        self.instant = server.database.instant

    def groups(self, username: str) -> frozenset[str]:
        """Return the groups of a user."""
        return self._tables.groups_of(username)


class GroupService:
    """Reads and changes groups; each change is a transaction."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._tables = GroupTables(server.database)

    def list(self) -> Sequence[Group]:
        """Return all groups."""
        return self._tables.list()

    def get(self, name: str) -> Group:
        """Return a group. Raise ``NotFound`` if there is none."""
        group = self._tables.get(name)
        if group is None:
            raise NotFound(f"no group {excerpt(name)}")
        return group

    def create(self, name: str, body: Any, confirm: Callable[[], None]) -> Group:
        """Add a group.

        Args:
            name: the name of the group.
            body: the body of the request.
            confirm: raises a refusal if the caller may not change groups any more.

        Raises:
            Refusal: that of ``confirm``.
            BadInput: the name is not allowed, or the body lists an impossible member.
            Conflict: the name, or a look-alike of it, is taken.
        """
        check_name("groupname", name)
        if fold(name) in RESERVED_GROUP_NAMES:
            raise BadInput(f"groupname {excerpt(name)} looks like :{fold(name).upper()}:, which has another meaning")
        group = apply_body(Group(name), {} if body is None else body)
        with self._server.database.transaction():
            confirm()
            self._tables.lock()
            existing = self._tables.lookalike(name)
            if existing is not None:
                taken = "exists" if existing == name else f"looks like the existing group '{existing}'"
                raise Conflict(f"group {excerpt(name)} {taken}")
            self._check_members(Group(name), group)
            self._tables.add(group)
            self._tables.replace(Group(name), group)
        return group

    def modify(self, name: str, body: Any, confirm: Callable[[], None]) -> tuple[Group, Group]:
        """Change a group; return it before and after. Raises as :meth:`create` and :meth:`get` do."""
        with self._server.database.transaction():
            confirm()
            self._tables.lock()
            before = self.get(name)
            after = apply_body(before, body)
            self._check_members(before, after)
            self._tables.replace(before, after)
        return before, after

    def delete(self, name: str, confirm: Callable[[], None]) -> Group:
        """Remove a group, and its name from every access list. Raise ``NotFound`` if there is none."""
        with self._server.database.transaction():
            confirm()
            self._tables.lock()
            group = self.get(name)
            self._server.forget_principal(group.principal)
            self._tables.delete(group)
        return group

    def forget(self, principal: str) -> None:
        """Remove a user or a ``:group`` from all groups; call it within a transaction."""
        self._tables.lock()
        self._tables.forget(principal)

    def take(self, data: Any, users: Mapping[str, str]) -> None:
        """Create the groups of an export; ``users`` has the new names of the members. Call it within a transaction.

        Raises:
            BadInput: the data have another form.
        """
        if not isinstance(data, dict) or not all(isinstance(value, dict) for value in data.values()):
            raise BadInput("the groups of an export must be an object of objects")
        members = {name: parse_list(value.get("members", [])) for name, value in data.items()}
        # Groups that have groups as members come last: their members exist by then.
        for name in sorted(data, key=lambda each: any(member.startswith(":") for member in members[each])):
            kept = [member if member.startswith(":") else users.get(member, "") for member in members[name]]
            body = {"members": [member for member in kept if member], "title": data[name].get("title", "")}
            self.create(name, body, lambda: None)

    def _check_members(self, before: Group, after: Group) -> None:
        """Refuse new members that do not exist, and more than one level of groups in groups."""
        new = sorted(set(after.members) - set(before.members))
        for member in new:
            if not member.startswith(":"):
                if self._server.users.get(member) is None:
                    raise BadInput(
                        f"'members' names the user {excerpt(member)}, who does not exist; create the user first"
                    )
                continue
            if member == after.principal:
                raise BadInput(f"the group {excerpt(after.name)} cannot be a member of itself")
            group = self._tables.get(member[1:])
            if group is None:
                raise BadInput(
                    f"'members' names the group {excerpt(member[1:])}, which this server does not have; create it first"
                )
            if group.groups:
                raise BadInput(
                    f"the group {excerpt(group.name)} has groups as members, so it cannot be a member itself"
                )
        outer = self._tables.containing(after.principal) if after.groups else []
        if outer:
            raise BadInput(
                f"the group {excerpt(after.name)} is a member of '{outer[0]}', so groups cannot be its members"
            )
