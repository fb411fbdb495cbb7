"""Fixtures: the plugin's stores in a prepared database of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.helpers.postgres import new_url, postgres, postgres_url  # noqa: F401
from tests.helpers.prepared_databases import PrepareDatabase, prepared  # noqa: F401

import wheelgate.store
import wheelgate_sql_store
from wheelgate.store.database import Database
from wheelgate.store.protocols import IndexStore, UserStore


@dataclass(frozen=True, slots=True)
class Server:
    """The part of the server that the plugin needs."""

    database: Database


@dataclass(frozen=True, slots=True)
class Stores:
    """The two stores and their database."""

    database: Database
    users: UserStore
    indices: IndexStore


@pytest.fixture
def url(new_url: str, prepared: PrepareDatabase) -> str:  # noqa: F811
    """Return the URL of a database in its state after the first start, without root."""
    core = Path(wheelgate.store.__file__).parent / "migrations"
    folders = [("core", core), ("sql_store", wheelgate_sql_store.wheelgate_migrations())]
    return prepared(new_url, folders)


@pytest.fixture
def stores(url: str) -> Iterator[Stores]:
    """Return the stores as a worker opens them."""
    with closing(Database(url)) as database:
        users = wheelgate_sql_store.wheelgate_user_store(database)
        indices = wheelgate_sql_store.wheelgate_index_store(database)
        yield Stores(database, users, indices)
