"""A prepared database of each kind, with the core's tables only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.helpers.postgres import new_url, postgres, postgres_url  # noqa: F401
from tests.helpers.prepared_databases import PrepareDatabase, prepared  # noqa: F401

import wheelgate.store
from wheelgate.store.database import Database

PROGRAM = Path(__file__).with_name("program.py")

Run = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def migrations() -> list[tuple[str, Path]]:
    """Return the core's migrations in the form that ``prepare`` takes."""
    return [("core", Path(wheelgate.store.__file__).parent / "migrations")]


@pytest.fixture
def url(new_url: str, prepared: PrepareDatabase, migrations: list[tuple[str, Path]]) -> str:  # noqa: F811
    """Return the URL of a database in its state after the first start."""
    return prepared(new_url, migrations)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """Return an open database, closed at the end."""
    with closing(Database(url)) as database:
        database.open()
        yield database


@pytest.fixture
def run() -> Iterator[Run]:
    """Return a function that starts ``program.py``; the processes are killed at the end."""
    processes = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, str(PROGRAM), *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Return the folder of a file system that holds one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True).returncode
    ):
        pytest.skip("only root can mount a disk, and not everywhere")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
