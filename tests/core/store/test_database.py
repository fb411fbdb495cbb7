"""Transactions, reads and the change serial."""

# ruff: noqa: PT012 - a transaction that fails is more than one statement

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import peewee
import psycopg
import pytest

from wheelgate.errors import BackendUnavailable, Conflict, StartupError
from wheelgate.store.database import Database
from wheelgate.store.prepare import prepare

ADD = "INSERT INTO ended_session (id, expires) VALUES (?, ?)"


def names(database: Database) -> list[str]:
    """Return the added rows."""
    return [row[0] for row in database.read("SELECT id FROM ended_session ORDER BY id")]


def in_thread(function: Callable[[], Any]) -> Any:
    """Call a function in a new thread and return its result."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(function()))
    thread.start()
    thread.join()
    return answers[0]


def add(database: Database, name: str) -> None:
    """Add a row in a transaction."""
    with database.transaction():
        database.write(ADD, (name, 1))


class TestTransactions:
    """Transactions."""

    def test_keep_everything(self, database: Database) -> None:
        """After a transaction, every thread sees its changes."""
        with database.transaction():
            database.write(ADD, ("a", 1))
            database.write(ADD, ("b", 2))
        assert names(database) == ["a", "b"]
        assert in_thread(lambda: names(database)) == ["a", "b"]

    @pytest.mark.parametrize("error", [Conflict("no"), ValueError("bug"), KeyboardInterrupt()], ids=repr)
    def test_keep_nothing_if_something_is_raised(self, database: Database, error: BaseException) -> None:
        """An exception inside passes through and rolls back everything, including the serial."""
        before = database.serial()
        with pytest.raises(type(error)), database.transaction():
            database.write(ADD, ("a", 1))
            raise error
        assert names(database) == []
        assert database.serial() == before
        add(database, "b")
        assert names(database) == ["b"]

    def test_nested_ones_belong_to_the_outer(self, database: Database) -> None:
        """The changes of a nested transaction are rolled back with the outer one, and both count once."""
        before = database.serial()
        with pytest.raises(Conflict), database.transaction():
            add(database, "a")
            raise Conflict("after the inner one")
        assert names(database) == []
        with database.transaction():
            add(database, "a")
            add(database, "b")
        assert names(database) == ["a", "b"]
        assert database.serial() == before + 1

    def test_are_seen_by_others_when_they_are_over(self, database: Database) -> None:
        """Before the commit, other threads read the old data without waiting."""
        with database.transaction():
            database.write(ADD, ("a", 1))
            assert names(database) == ["a"]
            assert in_thread(lambda: names(database)) == []
        assert in_thread(lambda: names(database)) == ["a"]

    def test_count_the_rows_of_a_change(self, database: Database) -> None:
        """A change returns the number of changed rows."""
        with database.transaction():
            assert database.write(ADD, ("a", 1)) == 1
            assert database.write("UPDATE ended_session SET expires = 3 WHERE id = ?", ("none",)) == 0

    def test_let_violated_constraints_through(self, database: Database) -> None:
        """A duplicate row raises peewee's IntegrityError, and the transaction is rolled back."""
        add(database, "a")
        with pytest.raises(peewee.IntegrityError), database.transaction():
            database.write(ADD, ("b", 1))
            database.write(ADD, ("a", 1))
        assert names(database) == ["a"]

    def test_let_our_own_mistakes_through(self, database: Database) -> None:
        """Wrong SQL is not translated into a refusal."""
        with pytest.raises(Exception, match="no_such_table"):
            database.read("SELECT * FROM no_such_table")
        with pytest.raises(Exception, match="no_such_table"), database.transaction():
            database.write("DELETE FROM no_such_table")

    def test_work_with_models_and_their_own_transactions(self, database: Database) -> None:
        """A plugin's peewee model takes part in the transaction; so does ``atomic`` within it."""

        class EndedSession(peewee.Model):
            id = peewee.TextField(primary_key=True)
            expires = peewee.IntegerField()

            class Meta:
                table_name = "ended_session"

        with pytest.raises(Conflict), database.transaction():
            EndedSession.insert(id="a", expires=1).execute(database.orm)
            with database.orm.atomic():
                EndedSession.insert(id="b", expires=1).execute(database.orm)
            raise Conflict("after both")
        assert names(database) == []


class TestSerial:
    """The change serial."""

    def test_stands_still_without_changes(self, database: Database) -> None:
        """Reads do not increment the serial."""
        assert database.serial() == database.serial() == 1

    def test_sees_this_threads_own_changes(self, database: Database) -> None:
        """Every transaction increments the serial by one, and its thread sees it at the next call."""
        seen = [database.serial()]
        for name in "abc":
            add(database, name)
            seen.append(database.serial())
        assert seen == [1, 2, 3, 4]

    def test_sees_the_changes_of_other_threads(self, database: Database) -> None:
        """A thread sees the transaction of another thread at its next call."""
        assert database.serial() == 1
        in_thread(lambda: add(database, "a"))
        assert database.serial() == 2
        add(database, "b")
        in_thread(lambda: add(database, "c"))
        assert database.serial() == 4

    @pytest.mark.slow
    def test_sees_the_changes_of_other_processes(self, database: Database, url: str, run: Any) -> None:
        """A worker sees the transaction of another worker at its next request."""
        assert database.serial() == 1
        assert run("count", url).wait(60) == 0
        assert database.serial() == 2

    @pytest.mark.slow
    def test_loses_no_step(self, database: Database, url: str, run: Any) -> None:
        """Concurrent transactions of processes and threads all count."""
        processes = [run("count", url, "--times", 200) for _ in range(2)]

        def add_many(prefix: str) -> None:
            for number in range(50):
                add(database, f"{prefix} {number}")

        threads = [threading.Thread(target=add_many, args=[prefix]) for prefix in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [process.wait(60) for process in processes] == [0, 0]
        assert database.serial() == 1 + 2 * 200 + 2 * 50


class TestHandle:
    """Opening and closing."""

    def test_opens_nothing_by_itself(self, tmp_path: Path) -> None:
        """Neither creating nor opening a ``Database`` creates a file."""
        with closing(Database(f"sqlite:///{tmp_path / 'wheelgate.db'}")) as database:
            database.open()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", ["a b?c#d%20.db", "\u00fcml\u00e4ut.db"])
    def test_takes_any_path(self, tmp_path: Path, name: str, migrations: Any) -> None:
        """The path of a SQLite file may contain any character."""
        prepare(f"sqlite:///{tmp_path / name}", migrations, lambda database: None)
        assert (tmp_path / name).exists()
        with closing(Database(f"sqlite:///{tmp_path / name}")) as database:
            assert database.serial() == 1

    def test_closes_the_connections_of_all_threads(self, database: Database, url: str) -> None:
        """Closing a database closes the connections of all threads."""
        leave = threading.Event()
        opened = threading.Barrier(4)

        def read_and_stay() -> None:
            database.serial()
            opened.wait(10)
            leave.wait(10)

        threads = [threading.Thread(target=read_and_stay) for _ in range(3)]
        for thread in threads:
            thread.start()
        opened.wait(10)
        assert connections(url) >= (3 if url.startswith("sqlite") else 1)  # PostgreSQL's serve one thread after another
        database.close()
        for _ in range(100):  # a server takes a moment to notice
            if not connections(url):
                break
            time.sleep(0.05)
        assert connections(url) == 0
        leave.set()
        for thread in threads:
            thread.join()

    def test_closes_the_connections_of_threads_that_ended(self, database: Database, url: str) -> None:
        """Connections of ended threads do not accumulate; the next new connection closes them."""
        for _ in range(20):
            in_thread(database.serial)
        assert connections(url) < 5

    @pytest.mark.parametrize(
        ("url", "says"),
        [
            pytest.param("mysql://u:sw0rdf1sh@host/db", "'mysql'", id="other kind"),
            pytest.param("wheelgate.db", "sqlite:///", id="no kind"),
            pytest.param("postgresql://u:sw0rd/f1sh@host/db", "percent-encoded", id="slash in the password"),
            pytest.param("postgresql://u:sw0rd@f1sh@host/db", "percent-encoded", id="at in the password"),
            pytest.param("postgresql://u:p@host/db?sw0rdf1sh=1", "percent-encoded", id="unknown parameter"),
        ],
    )
    def test_refuses_urls_it_cannot_read(self, url: str, says: str) -> None:
        """A malformed URL is refused; the message shows the expected form, but not the password."""
        with pytest.raises(StartupError, match=says) as refused:
            Database(url)
        assert "sw0rd" not in str(refused.value)
        assert "f1sh" not in str(refused.value)

    def test_one_that_only_reads_changes_nothing(self, database: Database, url: str) -> None:
        """A read-only database reads, and refuses every change, inside a transaction and outside."""
        with database.transaction():
            database.write(ADD, ("one", 1))
        with closing(Database(url, read_only=True)) as reader:
            reader.open()
            assert names(reader) == ["one"]
            with pytest.raises(BackendUnavailable, match="nothing was changed"), reader.transaction():
                reader.write(ADD, ("two", 1))
            with pytest.raises((peewee.DatabaseError, psycopg.Error)):
                reader.write(ADD, ("three", 1))
        assert names(database) == ["one"]


def connections(url: str) -> int:
    """Count the open file descriptors of a SQLite file, or the sessions of a PostgreSQL database."""
    if url.startswith("sqlite"):
        file = url.removeprefix("sqlite:///")
        descriptors = Path("/proc/self/fd")
        if not descriptors.exists():
            pytest.skip("this system does not tell open files")
        return [os.path.realpath(descriptor) for descriptor in descriptors.iterdir()].count(file)
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return int(rows.fetchall()[0][0])


def test_the_end_closes_the_connections_of_idle_threads(url: str) -> None:
    """A thread of a pool lives on, but its connection does not."""
    database = Database(url)
    database.open()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(names, database).result()
        _, connection = database.orm.opened[0]
        database.close()

        with pytest.raises(Exception, match="closed"):
            connection.execute("SELECT 1")


def test_a_query_of_another_thread_may_outlive_the_end(url: str) -> None:
    """A subcommand that ends closes no connection that a plugin's thread still uses; that would crash the process."""
    database = Database(url)
    database.open()
    connected, closed = threading.Event(), threading.Event()
    answers = []

    def ask_twice() -> None:
        answers.append(names(database))
        connected.set()
        closed.wait()
        answers.append(names(database))
        database.orm.close()

    thread = threading.Thread(target=ask_twice)
    thread.start()
    connected.wait()
    database.close(threading.Thread.is_alive)
    closed.set()
    thread.join()

    assert answers == [[], []]
