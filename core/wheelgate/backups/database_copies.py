"""Copies the database of a running server, as it is at one moment, and puts a copy in the place of a database."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wheelgate.disk import create_private_file
from wheelgate.errors import StartupError
from wheelgate.logs import escape_unprintable
from wheelgate.store import sqlite_file
from wheelgate.store.engines import DATABASE_TIMEOUT_SECONDS, parse_url

PAGES_PER_STEP = 1000
"""Pages of a SQLite database that are copied at once; between two steps the command can be interrupted."""
MAX_ERROR_CHARACTERS = 500


def _connect(path: Path) -> sqlite3.Connection:
    """Open a SQLite file that exists; every transaction is an explicit one."""
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw", uri=True, timeout=DATABASE_TIMEOUT_SECONDS, isolation_level=None
    )


def copy_sqlite(source: Path, target: Path, *, compact: bool) -> None:
    """Copy a SQLite database while others write to it.

    Args:
        source: the database.
        target: the file of the copy, which does not exist yet.
        compact: whether to leave out free pages, which takes longer.

    Raises:
        StartupError: the database is damaged, the disk is full, or a file cannot be used.
    """
    os.close(create_private_file(target))
    try:
        with closing(_connect(source)) as live:
            if compact:
                live.execute("VACUUM INTO ?", (str(target),))
            with closing(_connect(target)) as copy:
                if not compact:
                    # With a snapshot of its own the copy does not begin again after each change of another process.
                    live.execute("BEGIN")
                    live.execute("SELECT serial FROM server_state").fetchall()
                    live.backup(copy, pages=PAGES_PER_STEP, sleep=0)
                    live.rollback()
                copy.execute("PRAGMA journal_mode = delete").fetchall()  # a single file, which can be read in place
                ((found,),) = copy.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.Error as error:
        raise StartupError(f"the database '{source.name}' could not be copied: {error}") from error
    if found != "ok":
        raise StartupError(
            f"the database '{source.name}' is damaged ({' '.join(str(found).split())}); no backup was made"
        )


def place_sqlite(copy: Path, target: Path) -> None:
    """Put the copy of a database in its place, as a whole or not at all.

    Raises:
        StartupError: the folder of the database cannot be used.
    """
    with sqlite_file.locked(target):
        sqlite_file.sweep(target)
        with sqlite_file.building(target) as new:
            shutil.copyfile(copy, new)


def dump_postgresql(url: str, target: Path, *, schema: str, snapshot: str) -> None:
    """Copy a schema of a PostgreSQL database with ``pg_dump``.

    Args:
        url: the address of the database.
        target: the file of the copy, which does not exist yet.
        schema: the schema of the server's tables.
        snapshot: the ID of the snapshot to copy; its transaction must be open until this returns.

    Raises:
        StartupError: ``pg_dump`` is not installed, or fails.
    """
    os.close(create_private_file(target))
    pattern = '"{}"'.format(schema.replace('"', '""'))
    options = ["--format=custom", f"--schema={pattern}", f"--snapshot={snapshot}", f"--file={target}"]
    _run("pg_dump", options, url)


def load_postgresql(url: str, copy: Path, *, schema: str) -> None:
    """Create the tables of a copy in an empty schema of the same name, in one transaction.

    Raises:
        StartupError: ``pg_restore`` is not installed, or fails; it has then changed nothing.
    """
    # With --schema it takes the content of the schema, but does not create the schema itself.
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", f"--schema={schema}"]
    _run("pg_restore", [*options, str(copy)], url)


def _run(program: str, arguments: Sequence[str], url: str) -> None:
    """Run a program of PostgreSQL. It gets the password in its environment: all users can read its command line."""
    found = shutil.which(program)
    if found is None:
        raise StartupError(
            f"the program {program} is not installed; install the client programs of PostgreSQL, of the version of its "
            "server or a newer one"
        )
    params = parse_url(url)
    password = str(params.pop("password", ""))
    if "sslpassword" in params:
        raise StartupError(f"{program} cannot get the sslpassword of the URL in secret; use a key without a passphrase")
    environment = {**os.environ, "PGAPPNAME": "wheelgate", **({"PGPASSWORD": password} if password else {})}
    done = subprocess.run(  # noqa: S603 - a program of the system, and no shell
        [found, *arguments, f"--dbname={_connection(params)}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        text = " ".join(done.stderr.replace(password or "\0", "…").split())[:MAX_ERROR_CHARACTERS]
        raise StartupError(f"{program} failed: {escape_unprintable(text) or f'exit code {done.returncode}'}")


def _connection(params: Mapping[str, Any]) -> str:
    """Return a connection string of libpq."""
    from psycopg.conninfo import make_conninfo  # here, because most servers run without it

    return str(make_conninfo(**params))
