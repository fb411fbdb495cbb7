"""A program for tests that need other processes: it prepares a database, counts in it, or is killed halfway."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

if "--without-psycopg" in sys.argv:
    sys.modules["psycopg"] = None  # type: ignore[assignment]

import wheelgate.store
from wheelgate.errors import StartupError
from wheelgate.store.database import Database
from wheelgate.store.prepare import prepare

Migrations = list[tuple[str, Path]]

NOBODY = 65534
STEPS = {"execute", "open", "close", "fsync", "flock", "rename", "unlink", "fetchall", "fetchone", "chmod", "pwrite"}
"""C functions before which a process can be killed, so that work is left half done."""


def main() -> int:
    """Run the command from the command line; print its result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["prepare", "count", "watch", "kill"])
    parser.add_argument("url")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--migrations", action="append", default=[], metavar="OWNER=FOLDER")
    parser.add_argument("--without-psycopg", action="store_true")
    parser.add_argument("--as-nobody", action="store_true")
    options = parser.parse_args()
    given = [(owner, Path(folder)) for owner, _, folder in (item.partition("=") for item in options.migrations)]
    migrations = [("core", Path(wheelgate.store.__file__).parent / "migrations"), *given]
    if options.as_nobody and os.geteuid() == 0:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        match options.command:
            case "prepare":
                prepare(options.url, migrations, mark)
            case "count":
                count(options.url, options.times)
            case "watch":
                print(watch(options.url, options.times))
            case "kill":
                print(kill_everywhere(options.url, migrations))
    except StartupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def mark(database: Database) -> None:
    """Write a mark at the first start."""
    database.write("INSERT INTO ended_session (id, expires) VALUES ('mark', 1)")


def count(url: str, times: int) -> None:
    """Commit ``count`` transactions."""
    with closing(Database(url)) as database:
        for _ in range(times):
            with database.transaction():
                pass


def watch(url: str, times: int) -> int:
    """Return how often the serial was lower than that of an earlier commit."""
    behind = 0
    with closing(Database(url)) as database:
        database.open()
        for _ in range(times):
            committed = database.read("SELECT serial FROM server_state")[0][0]
            behind += database.serial() < committed
    return behind


def kill_everywhere(url: str, migrations: Migrations) -> int:
    """Prepare the same database in one process after the other, each killed one step later.

    After each, the database is prepared once more, which must work and find, or make, the mark. Returns the number
    of steps.
    """
    path = Path(url.removeprefix("sqlite:///"))
    beginning = path.read_bytes() if path.exists() else None
    step = 0
    while True:
        for file in path.parent.iterdir():
            file.unlink()
        if beginning is not None:
            path.write_bytes(beginning)
        step += 1
        child = os.fork()
        if not child:
            die_at(step)
            prepare(url, migrations, mark)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        prepare(url, migrations, mark)
        with closing(Database(url)) as database:
            marks = database.read("SELECT count(*) FROM ended_session")[0][0]
            whole = database.read("PRAGMA integrity_check")[0][0]
        left = sorted(
            {file.name for file in path.parent.iterdir()} - {path.name, f"{path.name}.lock", f"{path.name}-beacon"}
        )
        if (marks, whole, left) != (1, "ok", []):
            raise StartupError(f"killed at step {step}: {marks} marks, {whole}, {left}")
        if not os.WIFSIGNALED(status):
            return step


def die_at(step: int) -> None:
    """Kill this process before its n-th call of one of these functions."""
    seen = 0

    def step_by_step(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal seen
        if event == "c_call" and argument.__name__ in STEPS:
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(step_by_step)


if __name__ == "__main__":
    raise SystemExit(main())
