"""Which indices an import creates, with which configuration."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wheelgate.errors import BadInput, Forbidden
from wheelgate.fields import Field, IndexType
from wheelgate.moving.dataindex import ExportedIndex
from wheelgate.moving.decisions import Decisions
from wheelgate.moving.findings import Findings
from wheelgate.moving.user_plan import check_names, is_storable
from wheelgate.services.bases import find_inheritance_cycle
from wheelgate.services.index_json import LOGIN_IN_URL
from wheelgate.values import Index

OLD_KEYS = {"pypi_whitelist": "mirror_whitelist"}
"""Keys that were renamed with devpi 3.0."""


@dataclass(frozen=True, slots=True)
class PlannedIndex:
    """An index to create."""

    exported: ExportedIndex
    index: Index
    kind: IndexType


class IndexPlan:
    """Plans the indices of one import."""

    def __init__(
        self, types: Mapping[str, IndexType], decisions: Decisions, findings: Findings, users: Collection[str]
    ) -> None:
        """Take the types of this server, and the old names of the users that are created."""
        self._types = types
        self._decisions = decisions
        self._findings = findings
        self._users = users

    def plan(self, exported: Mapping[str, ExportedIndex]) -> list[PlannedIndex]:
        """Return the indices to create, in the order of their paths."""
        kept = {path: index for path, index in exported.items() if not self._decisions.skips(path)}
        for path in exported:
            if path in self._decisions.skipped:
                self._findings.add("skipped", path, "this index is left out")
        self._check_names(kept)
        planned = [self._planned(index, set(kept)) for _, index in sorted(kept.items())]
        return self._without_circles([each for each in planned if each is not None])

    def _check_names(self, kept: Mapping[str, ExportedIndex]) -> None:
        by_owner: dict[str, dict[str, str]] = {}
        for path in kept:
            owner, _, name = path.partition("/")
            by_owner.setdefault(owner, {})[name] = self._decisions.index(path).partition("/")[2]
        for owner, names in by_owner.items():
            check_names("indexname", names, {name: f"{owner}/{name}" for name in names}, self._findings)

    def _planned(self, exported: ExportedIndex, kept: Collection[str]) -> PlannedIndex | None:
        given = {OLD_KEYS.get(key, key): value for key, value in exported.config.items() if value is not None}
        type_name = given.pop("type", "stage")
        if isinstance(type_name, str):
            type_name = self._decisions.types.get(type_name, type_name)
        kind = self._types.get(type_name) if isinstance(type_name, str) else None
        if kind is None:
            known = ", ".join(sorted(self._types))
            self._findings.add(
                "type-unknown", exported.path, f"its type is {str(type_name)[:40]!a}; this server has {known}"
            )
            return None
        owner, _, name = self._decisions.index(exported.path).partition("/")
        config: dict[str, Any] = {}
        for field in kind.fields:
            if field.name in given:
                self._take(exported.path, field, given[field.name], config, kept)
            elif field.default is not None:
                config[field.name] = field.default(owner)
        for key in sorted(set(given) - {field.name for field in kind.fields} - kind.dropped - {"projects"}):
            if given[key] not in ("", [], {}):
                self._findings.add(
                    "key-dropped", exported.path, f"an index of type {kind.name} has no '{key}'", {key: given[key]}
                )
        if LOGIN_IN_URL.search(str(config.get("mirror_url", ""))):
            self._findings.add(
                "mirror-credentials",
                exported.path,
                "its mirror_url has a login, which only those who may modify it see",
            )
        return PlannedIndex(exported, Index(owner, name, kind.name, config), kind)

    def _take(self, path: str, field: Field, value: Any, config: dict[str, Any], kept: Collection[str]) -> None:
        """Parse a value as a request would; refuse the export if a default in its place could give rights."""
        try:
            parsed = parse_storable(field, value)
        except Forbidden:
            parsed = value  # an address that --allow-upstream closes; the server refuses each connection to it, too
        except BadInput as error:
            if field.refers_to or field.default is not None:
                self._findings.add_fault(f"index {path}: '{field.name}' cannot be used: {error.message}")
            else:
                sentence = f"the value of '{field.name}' is refused: {error.message}"
                self._findings.add("key-dropped", path, sentence, {field.name: value})
            return
        if field.refers_to == "principals":
            parsed = self._principals(path, field.name, parsed)
        elif field.refers_to == "indices":
            parsed = self._bases(path, parsed, kept)
        config[field.name] = parsed

    def _principals(self, path: str, key: str, entries: Sequence[str]) -> list[str]:
        """Return an access list without users who do not exist, and with the new names of the others."""
        taken = []
        for entry in dict.fromkeys(entries):
            if entry.startswith(":"):
                taken.append(entry)
            elif entry in self._users:
                taken.append(self._decisions.user(entry))
            else:
                self._findings.add("acl-entry-dropped", path, f"'{key}' names {entry[:100]!a}, who does not exist")
        return taken

    def _bases(self, path: str, bases: Sequence[str], kept: Collection[str]) -> list[str]:
        """Return bases that exist, with their new names."""
        taken = []
        for base in dict.fromkeys(bases):
            if base in kept:
                taken.append(self._decisions.index(base))
            else:
                self._findings.add("base-dropped", path, f"its base {base[:200]!a} does not exist")
        return taken

    def _without_circles(self, planned: list[PlannedIndex]) -> list[PlannedIndex]:
        """Break each circle of bases at the index of it that is last by path."""
        by_path = {each.index.path: each for each in planned}

        def find(path: str) -> Index | None:
            return by_path[path].index if path in by_path else None

        for path in sorted(by_path, reverse=True):
            while cycle := find_inheritance_cycle(path, by_path[path].index.config.get("bases", ()), find):
                last = max(cycle)
                base = cycle[cycle.index(last) + 1] if last != cycle[-1] else cycle[1]
                index = by_path[last].index
                bases = [each for each in index.config["bases"] if each != base]
                by_path[last] = replace(by_path[last], index=replace(index, config={**index.config, "bases": bases}))
                self._findings.add(
                    "circle-broken",
                    by_path[last].exported.path,
                    f"it no longer inherits from {base}: they were a circle",
                )
        return [by_path[each.index.path] for each in planned]


def parse_storable(field: Field, value: Any) -> Any:
    """Parse a value as a request would. Raise ``BadInput`` also for text that no database can store."""
    if not is_storable(value):
        raise BadInput("it has characters that no database stores")
    return field.parse(value)
