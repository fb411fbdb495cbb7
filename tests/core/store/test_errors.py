"""The refusals of requests while the database fails, and the recovery afterwards."""

# ruff: noqa: PT012 - a transaction that fails is more than one statement

from __future__ import annotations

import logging
import os
import random
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from wheelgate.errors import BackendUnavailable, StorageFull
from wheelgate.store.database import Database
from wheelgate.store.engines import Sqlite
from wheelgate.store.prepare import prepare

ADD = "INSERT INTO ended_session (id, expires) VALUES (?, ?)"
MUCH = 500_000
"""Characters of a row, more than the free space on a small disk."""


def names(database: Database) -> list[str]:
    """Return the added rows."""
    return [row[0] for row in database.read("SELECT id FROM ended_session ORDER BY id")]


def add(database: Database, name: str) -> None:
    """Add a row in a transaction."""
    with database.transaction():
        database.write(ADD, (name, 1))


@pytest.fixture
def file(tmp_path: Path, migrations: Any) -> Path:
    """Return a prepared SQLite file with one row in it."""
    path = tmp_path / "wheelgate.db"
    prepare(f"sqlite:///{path}", migrations, lambda database: add(database, "old"))
    return path


@pytest.fixture
def sqlite(file: Path) -> Iterator[Database]:
    """Return an open database in this file."""
    with closing(Database(f"sqlite:///{file}")) as database:
        database.open()
        yield database


def peewee_of(database: Database) -> Sqlite:
    """Return the handle of peewee."""
    assert isinstance(database.orm, Sqlite)
    return database.orm


@contextmanager
def few_pages(database: Database, file: Path) -> Iterator[None]:
    """Make SQLite report a full disk."""
    peewee_of(database).pragma("max_page_count", 20)
    yield
    peewee_of(database).pragma("max_page_count", 1_000_000)


@contextmanager
def only_reads(database: Database, file: Path) -> Iterator[None]:
    """Make SQLite report a read-only file."""
    peewee_of(database).pragma("query_only", 1)
    yield
    peewee_of(database).pragma("query_only", 0)


@contextmanager
def other_writer(database: Database, file: Path) -> Iterator[None]:
    """Let another program hold the write lock for longer than the timeout."""
    peewee_of(database).timeout = 0.1
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def small_files(database: Database, file: Path) -> Iterator[None]:
    """Let the system refuse to write, which SQLite notices only at the commit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MUCH // 5, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class TestSqlite:
    """SQLite."""

    @pytest.mark.parametrize(
        ("fault", "error", "says"),
        [
            pytest.param(few_pages, StorageFull, "no space is left", id="full"),
            pytest.param(only_reads, BackendUnavailable, "cannot be written to", id="read-only"),
            pytest.param(other_writer, BackendUnavailable, "is busy", id="locked"),
            pytest.param(small_files, BackendUnavailable, r"cannot be used \(SQLITE_IOERR_WRITE\)", id="I/O error"),
        ],
    )
    def test_refuses_a_change_and_recovers(
        self, sqlite: Database, file: Path, fault: Any, error: type[BackendUnavailable], says: str
    ) -> None:
        """A change is refused with a reason and rolled back, reads work, and after the fault changes work again."""
        serial = sqlite.serial()
        with fault(sqlite, file):
            with pytest.raises(error, match=says) as refused, sqlite.transaction():
                sqlite.write(ADD, ("small", 1))
                sqlite.write(ADD, ("x" * MUCH, 1))
            assert refused.value.retry_after
            assert "nothing was changed" in refused.value.message
            assert names(sqlite) == ["old"]
            assert sqlite.serial() == serial
        add(sqlite, "new")
        assert names(sqlite) == ["new", "old"]

    @pytest.mark.slow
    def test_survives_a_disk_that_is_full(self, tiny_disk: Path, migrations: Any) -> None:
        """On a full disk a change is refused with 507 and reads work; with free space changes work again."""
        url = f"sqlite:///{tiny_disk / 'wheelgate.db'}"
        prepare(url, migrations, lambda database: add(database, "old"))
        with closing(Database(url)) as database:
            add(database, "before")
            ballast = tiny_disk / "ballast"
            fill(ballast)
            with pytest.raises(StorageFull, match="no space is left"):
                add(database, "x" * MUCH)
            assert names(database) == ["before", "old"]
            ballast.unlink()
            add(database, "after")
            assert names(database) == ["after", "before", "old"]

    @pytest.mark.parametrize(
        ("damage", "says"),
        [
            pytest.param(lambda path: path.write_bytes(random.Random(7).randbytes(9999)), "NOTADB", id="noise"),
            pytest.param(lambda path: os.truncate(path, 5000), "CORRUPT", id="cut"),
            pytest.param(lambda path: path.unlink(), "CANTOPEN", id="gone"),
            pytest.param(lambda path: (path.unlink(), path.mkdir()), "CANTOPEN", id="a folder"),
        ],
    )
    def test_tells_that_it_is_broken(self, file: Path, damage: Callable[[Path], object], says: str) -> None:
        """If the file is damaged while the server runs, reads and changes are refused, and no new file is created."""
        damage(file)
        with closing(Database(f"sqlite:///{file}")) as database:
            with pytest.raises(BackendUnavailable, match=f"cannot be used .*{says}") as refused:
                database.serial()
            assert str(file.parent) not in str(refused.value)
            with pytest.raises(BackendUnavailable, match=f"cannot be used .*{says}"):
                add(database, "new")
        assert file.is_file() == (says != "CANTOPEN")


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as ballast:
        for size in (4096, 1):
            try:
                while True:
                    ballast.write(bytes(size))
            except OSError:
                continue


@pytest.mark.slow
class TestPostgresql:
    """PostgreSQL."""

    @pytest.fixture
    def database(self, postgres_url: str, migrations: Any) -> Iterator[Database]:
        """Return an open database with one row in it."""
        prepare(postgres_url, migrations, lambda database: add(database, "old"))
        with closing(Database(postgres_url)) as database:
            database.open()
            yield database

    def test_comes_back_after_the_connection_was_lost(
        self, database: Database, postgres: Any, postgres_url: str
    ) -> None:
        """A connection that was lost between requests is silently replaced, for reads and for changes."""
        for act in (lambda: database.serial(), lambda: add(database, "new"), lambda: names(database)):
            assert database.serial()
            postgres.disconnect(postgres_url)
            act()
        assert names(database) == ["new", "old"]

    def test_undoes_a_change_whose_connection_is_lost(
        self, database: Database, postgres: Any, postgres_url: str
    ) -> None:
        """If the connection is lost during a transaction, it is rolled back and refused; the next one works."""
        with pytest.raises(BackendUnavailable, match="does not answer"), database.transaction():
            database.write(ADD, ("half", 1))
            postgres.disconnect(postgres_url)
            database.write(ADD, ("done", 1))
        assert names(database) == ["old"]
        add(database, "new")
        assert names(database) == ["new", "old"]

    def test_tells_that_the_server_is_down(
        self, database: Database, postgres: Any, postgres_url: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """While the server is down, requests get Retry-After and workers can start; afterwards all works."""
        postgres.stop()
        try:
            for act in (lambda: database.serial(), lambda: add(database, "new"), lambda: database.serial()):
                with pytest.raises(BackendUnavailable, match="does not answer") as refused:
                    act()
                assert refused.value.retry_after
            with closing(Database(postgres_url)) as other, caplog.at_level(logging.WARNING):
                other.open()
                assert "does not answer" in caplog.text
                assert "swordfish" not in caplog.text
        finally:
            postgres.start()
        add(database, "new")
        assert names(database) == ["new", "old"]

    def test_waits_for_a_lock_only_so_long(self, database: Database, postgres_url: str) -> None:
        """If another session holds a needed lock, a change is refused after the timeout, and may be repeated."""
        database.orm.execute_sql("SET lock_timeout = '100ms'")
        with psycopg.connect(postgres_url) as other:
            other.execute("UPDATE server_state SET serial = serial")
            with pytest.raises(BackendUnavailable, match="is busy"):
                add(database, "new")
        add(database, "new")
        assert names(database) == ["new", "old"]

    @pytest.mark.parametrize(
        ("state", "error", "says"),
        [
            pytest.param("53100", StorageFull, "no space is left", id="disk full"),
            pytest.param("53300", BackendUnavailable, "does not answer", id="too many connections"),
            pytest.param("40001", BackendUnavailable, "is busy", id="serialization failure"),
            pytest.param("40P01", BackendUnavailable, "is busy", id="deadlock"),
            pytest.param("25006", BackendUnavailable, "read-only", id="read-only"),
            pytest.param("57P01", BackendUnavailable, "does not answer", id="shut down"),
            pytest.param("58030", BackendUnavailable, "does not answer", id="I/O error"),
            pytest.param("XX001", BackendUnavailable, "does not answer", id="data corrupted"),
        ],
    )
    def test_tells_what_the_server_reports(
        self, database: Database, state: str, error: type[BackendUnavailable], says: str
    ) -> None:
        """Each kind of failure, by the SQLSTATE of the server, gets its own refusal; the change is rolled back."""
        with pytest.raises(error, match=says) as refused, database.transaction():
            database.write(ADD, ("new", 1))
            database.orm.execute_sql(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$")
        assert type(refused.value) is error
        assert names(database) == ["old"]
