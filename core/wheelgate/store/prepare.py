"""What happens to the database before the server listens: it is begun, checked, and brought up to date."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from playhouse.migrations import Migration, Runner

from wheelgate.errors import Refusal, StartupError
from wheelgate.store import errors as faults
from wheelgate.store import sqlite_file
from wheelgate.store.database import Database
from wheelgate.store.engines import Postgresql, Sqlite

ADVISORY_LOCK = 0x776865656C67  # "wheelg"; any number that no other program takes

CORE_MIGRATIONS = Path(__file__).parent / "migrations"

Migrations = Sequence[tuple[str, Path]]
First = Callable[[Database], None]
Seen = tuple[str, Runner, Sequence[Migration]]
"""An owner of migrations, what applies them, and which there are."""


def prepare(url: str, migrations: Migrations, first: First) -> None:
    """Begin the database or bring it up to date; run once, in a process that ends before the workers begin.

    Args:
        url: See :class:`Database`.
        migrations: Owners (``core``, a plugin's name) and the folders of their migrations, in the order of use.
        first: Fills a new database. A database is seen by others with everything in it, or not at all.

    Raises:
        StartupError: the database is damaged, unreachable, or of a newer version. It was not changed.
    """
    for owner, folder in migrations:
        if not folder.is_dir():
            raise StartupError(f"the migrations of {owner} are not where it says, in '{folder}'. Install it again.")
    try:
        with closing(Database(url)) as database:
            if isinstance(database.orm, Sqlite):
                _prepare_file(database, database.orm, migrations, first)
            else:
                _prepare_server(database, database.orm, migrations, first)
    except (Refusal, OSError, *faults.ERRORS) as error:
        raise StartupError(f"the database could not be prepared: {_said(faults.refusal(error) or error)}.") from error


def _prepare_file(database: Database, orm: Sqlite, migrations: Migrations, first: First) -> None:
    """Build a SQLite file beside its place and put it there; then, as with one that was there, check and update it."""
    with sqlite_file.locked(orm.path):
        sqlite_file.sweep(orm.path)
        if sqlite_file.missing(orm.path):
            with sqlite_file.draft(orm.path) as draft, closing(Database(f"sqlite:///{draft}")) as new:
                _begin(new, migrations, first)
        sqlite_file.check(orm)
        if not _begun(database):
            raise StartupError(
                f"the database '{orm.path.name}' is not one of wheelgate: it lacks the server's tables. Move it"
                " away, or restore the right one from a backup."
            )
        _refuse_newer(seen := _seen(database, migrations))
        sqlite_file.settle(orm)
        _apply(seen)


def _prepare_server(database: Database, orm: Postgresql, migrations: Migrations, first: First) -> None:
    """Fill or update a PostgreSQL database, one node at a time."""
    try:
        orm.connect()
    except faults.ERRORS as error:
        raise StartupError(
            f"the PostgreSQL database {orm.place} does not answer: {_said(error)}. Start it, or correct --database."
        ) from error
    orm.execute_sql("SET lock_timeout = 0")
    orm.execute_sql("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))  # given back when the connection closes
    if _begun(database):
        _refuse_newer(seen := _seen(database, migrations))
        _apply(seen)
    else:
        _begin(database, migrations, first)


def _begun(database: Database) -> bool:
    """Say whether the server's own tables are there."""
    return bool(database.orm.table_exists(_history("core")))


def _begin(database: Database, migrations: Migrations, first: First) -> None:
    """Make the tables and what is in them from the first start on, in one transaction."""
    try:
        with database.transaction():
            _apply(_seen(database, migrations))
            first(database)
    except (Refusal, *faults.ERRORS) as error:
        raise StartupError(
            f"the first start could not build the database: {_said(error)}. Nothing was kept."
        ) from error


def _seen(database: Database, migrations: Migrations) -> list[Seen]:
    """Look at what the database has seen of each owner's migrations."""
    runners = (
        # each with a history of its own
        (owner, Runner(database.orm, glob.escape(str(folder)), _history(owner)))
        for owner, folder in migrations
    )
    return [(owner, runner, runner.status()) for owner, runner in runners]


def _refuse_newer(seen: Sequence[Seen]) -> None:
    """Stop if the database has seen migrations that this version does not have."""
    unknown = [f"{owner} {migration.name}" for owner, _, found in seen for migration in found if migration.path is None]
    if unknown:
        raise StartupError(
            f"the database was written by a newer version: it has {', '.join(unknown)}, which this version does not"
            " know. Install the version that wrote it, or restore a backup from before the upgrade. Nothing was"
            " changed."
        )


def _apply(seen: Sequence[Seen]) -> None:
    """Apply what the database has not seen; each migration is a transaction, or part of the one that is open."""
    for owner, runner, found in seen:
        if all(migration.applied for migration in found):
            continue
        try:
            runner.up()
        except Exception as error:
            if told := faults.refusal(error):  # no fault of the migration
                raise told from error
            raise StartupError(
                f"a migration of {owner} failed: {_said(error)}. It left no trace. Install"
                " the version that ran before, or ask whoever wrote the migration."
            ) from error


def _history(owner: str) -> str:
    """Name the table that remembers an owner's migrations."""
    return f"{owner}_migration"


def _said(error: Exception) -> str:
    """Show an error in one line, to stand within a sentence."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
