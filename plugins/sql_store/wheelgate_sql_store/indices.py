"""Stores indices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from wheelgate import Index
from wheelgate.errors import Conflict, NotFound
from wheelgate.names import fold
from wheelgate.store.database import Database
from wheelgate_sql_store import queries
from wheelgate_sql_store.columns import to_json
from wheelgate_sql_store.models import IndexRow


class SqlIndexStore:
    """Stores indices in the server's database; see :class:`wheelgate.store.protocols.IndexStore`."""

    name = "sql_store"

    def __init__(self, database: Database) -> None:
        self.database = database
        self.instant = database.instant

    def get(self, owner: str, name: str) -> Index | None:
        """Return the index ``owner/name``."""
        return queries.find_index(self.database, owner, name)

    def list(self, owner: str | None = None) -> Sequence[Index]:
        """Return every index, or those of ``owner``, in the order of their paths."""
        return queries.list_indices(self.database, owner)

    def any_has(self, key: str) -> bool:
        """Return whether the configuration of any index has a key."""
        return queries.any_index_has(self.database, key)

    def lookalike(self, owner: str, name: str) -> str | None:
        """Return the name of the owner's index that looks like ``name``, which may be ``name`` itself."""
        rows = self.database.read(
            "SELECT name FROM sql_store_index WHERE owner = ? AND folded = ?", (owner, fold(name))
        )
        return rows[0][0] if rows else None

    def create(self, index: Index) -> None:
        """Add an index. Raise ``Conflict`` if the path, or a look-alike of it, is taken."""
        added = IndexRow.insert(
            owner=index.owner,
            name=index.name,
            folded=fold(index.name),
            type=index.type,
            config=to_json(dict(index.config)),
        )
        if added.on_conflict_ignore().as_rowcount().execute(self.database.orm):
            return
        taken = self.lookalike(index.owner, index.name)
        if taken in {None, index.name}:
            raise Conflict(f"index '{index.path}' exists")
        raise Conflict(
            f"index '{index.path}' looks like the existing index '{index.owner}/{taken}'; choose another name"
        )

    def modify(self, index: Index, config: Mapping[str, Any]) -> Index:
        """Replace the configuration. Raise ``Conflict`` if the stored one is no longer that of ``index``."""
        if not queries.change_index(self.database, index, config):
            raise Conflict(f"index '{index.path}' was changed or deleted in the meantime; look again and repeat")
        return replace(index, config=dict(config))

    def delete(self, index: Index) -> None:
        """Remove an index. Raise ``NotFound`` if it is gone."""
        same = (IndexRow.owner == index.owner) & (IndexRow.name == index.name)
        if not IndexRow.delete().where(same).execute(self.database.orm):
            raise NotFound(f"index '{index.path}' does not exist")
