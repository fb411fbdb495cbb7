"""The counter that tells processes on one SQLite file about changes."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wheelgate.errors import BackendUnavailable
from wheelgate.store.change_counter import ChangeCounter
from wheelgate.store.database import Database
from wheelgate.store.prepare import prepare


def add(database: Database) -> None:
    """Add a row in a transaction."""
    with database.transaction():
        database.write("INSERT INTO ended_session (id, expires) VALUES ('new', 1)")


def names(database: Database) -> list[str]:
    """Return the added rows."""
    return [row[0] for row in database.read("SELECT id FROM ended_session")]


@pytest.fixture
def path(tmp_path: Path, migrations: Any) -> Path:
    """Return a prepared SQLite file."""
    prepare(f"sqlite:///{tmp_path / 'wheelgate.db'}", migrations, lambda database: None)
    return tmp_path / "wheelgate.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    """Return an open database that has read the serial once."""
    with closing(Database(f"sqlite:///{path}")) as database:
        database.open()
        assert database.serial() == 1
        yield database


def test_is_odd_while_anything_is_under_way(path: Path) -> None:
    """If a writer begins before another has ended, the number becomes even only after both have ended."""
    with closing(ChangeCounter(path)) as one, closing(ChangeCounter(path)) as other:
        seen = [one.number]
        first = one.begin()
        seen.append(other.number)
        second = other.begin()
        seen.append(one.number)
        one.end(first)
        seen.append(one.number)
        other.end(second)
        seen.append(one.number)
    assert [number % 2 for number in seen] == [0, 1, 1, 1, 0]
    assert seen == sorted(seen)


def test_never_comes_back(path: Path) -> None:
    """After any number of changes, complete or interrupted, the number has a value that it never had before."""
    with closing(ChangeCounter(path)) as beacon:
        seen = [beacon.number]
        for _ in range(600):
            mine = beacon.begin()
            seen.append(beacon.number)
            if len(seen) % 7:
                beacon.end(mine)
                seen.append(beacon.number)
    assert len(set(seen)) == len(seen)
    with closing(ChangeCounter(path)) as again:
        assert again.number == seen[-1]


@pytest.mark.slow
def test_a_writer_that_died_hides_nothing(database: Database, path: Path, run: Any) -> None:
    """After a writer was killed during a change, every read of the serial asks the database until the next change."""
    with closing(ChangeCounter(path)) as dying:
        dying.begin()
    assert database.serial() == 1
    assert run("count", f"sqlite:///{path}").wait(60) == 0
    assert database.serial() == 2


@pytest.mark.slow
def test_without_the_file_nobody_is_in_the_dark_for_long(database: Database, path: Path, run: Any) -> None:
    """If the file was removed, changes of other processes are noticed a little later."""
    Path(f"{path}-beacon").unlink()
    assert run("count", f"sqlite:///{path}").wait(60) == 0
    for _ in range(100):
        if database.serial() == 2:
            break
        time.sleep(0.1)
    assert database.serial() == 2


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: os.truncate(file, 0)], ids=["gone", "cut"])
def test_comes_back_at_the_next_start(path: Path, migrations: Any, damage: Callable[[Path], None]) -> None:
    """A start creates a missing file, and does not touch an existing one; everything works without the file too."""
    damage(Path(f"{path}-beacon"))
    with closing(Database(f"sqlite:///{path}")) as database:
        database.open()
        add(database)
        assert database.serial() == 2
    prepare(f"sqlite:///{path}", migrations, lambda database: None)
    with closing(ChangeCounter(path)) as beacon:
        beacon.end(beacon.begin())
        prepare(f"sqlite:///{path}", migrations, lambda database: None)
        with closing(ChangeCounter(path)) as again:
            assert again.number == beacon.number == 2


def test_a_file_that_cannot_be_opened_stops_changes(path: Path) -> None:
    """If the counter cannot be opened, changes are refused, and reads work."""
    beacon = Path(f"{path}-beacon")
    beacon.unlink()
    beacon.mkdir()
    with closing(Database(f"sqlite:///{path}")) as database:
        database.open()
        with pytest.raises(BackendUnavailable, match=r"cannot be used \(EISDIR\)"):
            add(database)
        assert names(database) == []
        assert database.serial() == 1


def test_a_file_that_cannot_be_written_stops_changes(database: Database) -> None:
    """If the counter cannot be written, changes are refused and reads work, until the fault is over."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(BackendUnavailable, match=r"cannot be used \(EFBIG\)"):
            add(database)
        assert names(database) == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    add(database)
    assert names(database) == ["new"]
    assert database.serial() == 2


@pytest.mark.slow
def test_is_never_behind_what_was_committed(path: Path, run: Any) -> None:
    """While several processes write, the serial is never lower than that of an earlier commit."""
    url = f"sqlite:///{path}"
    writers = [run("count", url, "--times", 2000) for _ in range(3)]
    watchers = [run("watch", url, "--times", 60_000) for _ in range(2)]
    assert [watcher.communicate(timeout=100) for watcher in watchers] == [("0\n", "")] * 2
    assert [writer.wait(100) for writer in writers] == [0] * 3
    with closing(Database(url)) as database:
        database.open()
        assert database.serial() == 1 + 3 * 2000
