"""Promises of the bundled stores beyond the protocols: transactions, races, and the SQL underneath."""

# ruff: noqa: PT012 - a failing transaction has more than one statement

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from wheelgate import Index, User
from wheelgate.errors import BadInput, Conflict
from wheelgate.store.database import Database
from wheelgate_sql_store.models import IndexRow, UserRow

CREATED_AT = datetime(2020, 2, 29, tzinfo=UTC)
ALICE = User("alice", "s1", CREATED_AT)
DEV = Index("alice", "dev", "stage", {"volatile": True})


def outcomes(stores: Any, acts: Sequence[Callable[[], object]]) -> list[str]:
    """Run all functions at once, each in its own thread and transaction; return ``ok`` or ``conflict`` for each."""
    ready = threading.Barrier(len(acts))
    found = []

    def run(act: Callable[[], object]) -> None:
        stores.database.serial()  # is connected before the race
        ready.wait(20)
        try:
            with stores.database.transaction():
                act()
        except Conflict:
            found.append("conflict")
        else:
            found.append("ok")

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def test_changes_are_undone_with_the_transaction(stores: Any) -> None:
    """If a request fails after it has changed both stores, neither keeps the changes."""
    with stores.database.transaction():
        stores.users.create(ALICE, "hash")
        stores.indices.create(DEV)
    with pytest.raises(BadInput), stores.database.transaction():
        stores.users.create(User("bob", "s", CREATED_AT), None)
        stores.users.modify(ALICE, {"title": "T"})
        stores.users.set_password_hash(ALICE, "new", "s2")
        stores.indices.modify(DEV, {"volatile": False})
        stores.indices.create(Index("alice", "prod", "stage"))
        raise BadInput("after all changes")
    assert list(stores.users.list()) == [ALICE]
    assert stores.users.password_hash("alice") == "hash"
    assert list(stores.indices.list()) == [DEV]


def test_a_conflict_leaves_the_transaction_usable(stores: Any) -> None:
    """A caller that expects a conflict can continue in the same transaction."""
    with stores.database.transaction():
        stores.users.create(ALICE, None)
        with pytest.raises(Conflict):
            stores.users.create(ALICE, None)
        with pytest.raises(Conflict):
            stores.users.create(User("ALICE", "s", CREATED_AT), None)
        stores.indices.create(DEV)
        with pytest.raises(Conflict):
            stores.indices.create(DEV)
        stores.users.create(User("bob", "s", CREATED_AT), None)
    assert [user.name for user in stores.users.list()] == ["alice", "bob"]


def test_another_worker_sees_the_changes(stores: Any, url: str) -> None:
    """Committed changes are visible to every process that opens the database."""
    with stores.database.transaction():
        stores.users.create(ALICE, "hash")
        stores.indices.create(DEV)
    with closing(Database(url)) as other:
        again = type(stores.users)(other), type(stores.indices)(other)
        assert again[0].get("alice") == ALICE
        assert again[0].password_hash("alice") == "hash"
        assert again[1].get("alice", "dev") == DEV


@pytest.mark.parametrize("names", [["alice"] * 4, ["alice", "Alice", "ALICE", "alicE"]], ids=["same", "look-alikes"])
def test_one_of_many_creations_of_a_user_succeeds(stores: Any, names: list[str]) -> None:
    """If several threads create a user at once, one succeeds and the others get a conflict."""
    acts = [partial(stores.users.create, User(name, "s", CREATED_AT), None) for name in names]
    assert outcomes(stores, acts) == ["conflict"] * 3 + ["ok"]
    assert len(stores.users.list()) == 1


def test_one_of_many_changes_of_an_index_succeeds(stores: Any) -> None:
    """If several threads change an index from the same state at once, one succeeds and the others get a conflict."""
    with stores.database.transaction():
        stores.indices.create(DEV)
    acts = [partial(stores.indices.modify, DEV, {"volatile": True, "title": f"{n}"}) for n in range(4)]
    assert outcomes(stores, acts) == ["conflict"] * 3 + ["ok"]


def test_one_of_many_deletions_of_a_user_succeeds(stores: Any) -> None:
    """If several threads delete a user at once, one succeeds and the others get a conflict."""
    with stores.database.transaction():
        stores.users.create(ALICE, None)
    assert outcomes(stores, [lambda: stores.users.delete(ALICE)] * 4) == ["conflict"] * 3 + ["ok"]
    assert stores.users.get("alice") is None


def test_only_fields_of_a_user_can_be_set(stores: Any) -> None:
    """Names of fields become part of the SQL, so an unknown one is refused before that."""
    with stores.database.transaction():
        stores.users.create(ALICE, "hash")
    for name in ("password_hash", "title = '', email"):
        with pytest.raises(KeyError), stores.database.transaction():
            stores.users.modify(ALICE, {name: "x"})
    assert stores.users.get("alice") == ALICE


def test_reads_on_the_event_loop_only_from_sqlite(stores: Any) -> None:
    """Reads are instant from SQLite, where they hit the page cache, and not from PostgreSQL, across a network."""
    expected = stores.database.kind == "sqlite"
    assert (stores.users.instant, stores.indices.instant) == (expected, expected)


@pytest.mark.parametrize("model", [UserRow, IndexRow])
def test_models_agree_with_the_migrations(stores: Any, model: Any) -> None:
    """The tables that the migrations create have the columns of the models, and the same ones are nullable."""
    made = {column.name: column.null for column in stores.database.orm.get_columns(model._meta.table_name)}
    assert made == {field.column_name: field.null for field in model._meta.sorted_fields}
