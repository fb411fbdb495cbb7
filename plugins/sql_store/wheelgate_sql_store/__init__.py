"""The bundled stores of users and indices, in the server's own database."""

from __future__ import annotations

from pathlib import Path

from wheelgate import hookimpl
from wheelgate.store.database import Database
from wheelgate_sql_store.indices import SqlIndexStore
from wheelgate_sql_store.users import SqlUserStore


@hookimpl
def wheelgate_migrations() -> Path:
    """Return the folder with the migrations."""
    return Path(__file__).parent / "migrations"


@hookimpl
def wheelgate_user_store(database: Database) -> SqlUserStore:
    """Provide the store of users."""
    return SqlUserStore(database)


@hookimpl
def wheelgate_index_store(database: Database) -> SqlIndexStore:
    """Provide the store of indices."""
    return SqlIndexStore(database)
