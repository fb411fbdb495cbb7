"""The index store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wheelgate import Index
from wheelgate.errors import Conflict, NotFound
from wheelgate_stub_store.file import JsonFile, fold


class FileIndexStore:
    """Stores indices; see :class:`wheelgate.store.protocols.IndexStore`."""

    name = "stub_store"
    instant = False

    def __init__(self, file: JsonFile) -> None:
        self._file = file

    def get(self, owner: str, name: str) -> Index | None:
        """Return the index ``owner/name``."""
        entry = self._file.read()["indices"].get(f"{owner}/{name}")
        return None if entry is None else Index(**entry)

    def list(self, owner: str | None = None) -> list[Index]:
        """Return every index, or those of ``owner``, in the order of their paths."""
        found = [Index(**entry) for _, entry in sorted(self._file.read()["indices"].items())]
        return [index for index in found if owner in (None, index.owner)]

    def any_has(self, key: str) -> bool:
        """Return whether the configuration of any index has a key."""
        return any(key in index.config for index in self.list())

    def lookalike(self, owner: str, name: str) -> str | None:
        """Return the name of an index of ``owner`` that looks like ``name``."""
        return next((index.name for index in self.list(owner) if fold(index.name) == fold(name)), None)

    def create(self, index: Index) -> None:
        """Add an index."""
        with self._file.change() as content:
            taken = self.lookalike(index.owner, index.name)
            if taken is not None:
                raise Conflict(f"index '{index.owner}/{taken}' exists")
            content["indices"][index.path] = to_json(index)

    def modify(self, index: Index, config: Mapping[str, Any]) -> Index:
        """Replace the configuration."""
        with self._file.change() as content:
            if self.get(index.owner, index.name) != index:
                raise Conflict(f"index '{index.path}' was changed or deleted in the meantime")
            changed = Index(index.owner, index.name, index.type, dict(config))
            content["indices"][index.path] = to_json(changed)
            return changed

    def delete(self, index: Index) -> None:
        """Remove an index."""
        with self._file.change() as content:
            if content["indices"].pop(index.path, None) is None:
                raise NotFound(f"index '{index.path}' does not exist")


def to_json(index: Index) -> dict[str, Any]:
    """Return an index as JSON."""
    return {"owner": index.owner, "name": index.name, "type": index.type, "config": dict(index.config)}
