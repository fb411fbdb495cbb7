"""Creates, checks and migrates the database before the server listens."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from playhouse.migrations import Migration, Runner

from wheelgate.errors import Refusal, StartupError
from wheelgate.store import sqlite_file
from wheelgate.store.database import Database
from wheelgate.store.engines import Postgresql, Sqlite
from wheelgate.store.errors import DATABASE_ERRORS, translate_database_error

ADVISORY_LOCK_ID = 0x776865656C67
"""The number of the lock that lets one node prepare a PostgreSQL database at a time: "wheelg"."""

CORE_MIGRATIONS = Path(__file__).parent / "migrations"

CONNECTING_HINTS = (
    ("database .* does not exist", "Create it with createdb, or correct its name in --database."),
    ("authentication failed|role .* does not exist|no password supplied", "Correct user and password in --database."),
    ("no pg_hba.conf entry", "Let this machine connect in pg_hba.conf of PostgreSQL, or correct --database."),
    ("too many|remaining connection slots", "Lower --database-connections, or raise max_connections of PostgreSQL."),
)
"""What to do about a failed connection, by a pattern of its text: psycopg has no code for it."""
OTHER_CONNECTING_HINT = "Start it, or correct --database."

Migrations = Sequence[tuple[str, Path]]
FillDatabase = Callable[[Database], None]
OwnerStatus = tuple[str, Runner, Sequence[Migration]]
"""An owner of migrations, the runner that applies them, and their state in the database."""


def prepare(url: str, migrations: Migrations, fill: FillDatabase) -> None:
    """Create the database, or apply the missing migrations. Runs once, in a process that ends before the workers start.

    Args:
        url: see :class:`Database`.
        migrations: the owners (``core``, or a plugin's name) and folders of migrations, in the order to apply them.
        fill: fills a new database. Other processes see a new database complete or not at all.

    Raises:
        StartupError: the database is damaged, unreachable, or of a newer version. It was not changed.
    """
    for owner, folder in migrations:
        if not folder.is_dir():
            raise StartupError(
                f"the folder of the migrations of {owner} does not exist: '{folder}'. Install {owner} again."
            )
    try:
        with closing(Database(url)) as database:
            if isinstance(database.orm, Sqlite):
                _prepare_file(database, database.orm, migrations, fill)
            else:
                _prepare_server(database, database.orm, migrations, fill)
    except (Refusal, OSError, *DATABASE_ERRORS) as error:
        raise StartupError(
            f"the database could not be prepared: {_one_line(translate_database_error(error) or error)}."
        ) from error


def exists(url: str) -> bool:
    """Return whether the database was created before.

    Raises:
        StartupError: it is unreachable, or lacks a part.
    """
    with closing(Database(url)) as database:
        if isinstance(database.orm, Sqlite):
            return not sqlite_file.missing(database.orm.path)
        _connect(database.orm)
        return _has_tables(database)


def _prepare_file(database: Database, orm: Sqlite, migrations: Migrations, fill: FillDatabase) -> None:
    """Build a SQLite file if there is none; then check the file and apply missing migrations."""
    with sqlite_file.locked(orm.path):
        sqlite_file.sweep(orm.path)
        if sqlite_file.missing(orm.path):
            with sqlite_file.building(orm.path) as path, closing(Database(f"sqlite:///{path}")) as new:
                _create_tables(new, migrations, fill)
        sqlite_file.check(orm)
        if not _has_tables(database):
            raise StartupError(
                f"the database '{orm.path.name}' is not a wheelgate database: it lacks the server's tables. Move it"
                " away, or restore the right database from a backup."
            )
        _refuse_newer(status := _status(database, migrations))
        sqlite_file.set_up(orm)
        _apply(status)


def _prepare_server(database: Database, orm: Postgresql, migrations: Migrations, fill: FillDatabase) -> None:
    """Fill or migrate a PostgreSQL database, one node at a time."""
    _connect(orm)
    orm.execute_sql("SET lock_timeout = 0")
    orm.execute_sql("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK_ID,))  # released when the connection closes
    if _has_tables(database):
        _refuse_newer(status := _status(database, migrations))
        _apply(status)
    else:
        _refuse_other_encoding(orm)
        _create_tables(database, migrations, fill)


def _refuse_other_encoding(orm: Postgresql) -> None:
    """Raise ``StartupError`` if a database has an encoding in which it cannot store, or sort, all text."""
    ((encoding,),) = orm.rows("SHOW server_encoding", ())
    if encoding != "UTF8":
        raise StartupError(
            f"the PostgreSQL database {orm.place} has the encoding {encoding}, but wheelgate needs UTF8. Create another"
            f" one: createdb --encoding UTF8 --template template0 --owner {orm.connect_params.get('user', 'USER')} NAME"
        )


def _connect(orm: Postgresql) -> None:
    """Connect to PostgreSQL, or raise ``StartupError``."""
    try:
        orm.connect()
    except DATABASE_ERRORS as error:
        raise StartupError(
            f"cannot connect to the PostgreSQL database {orm.place}: {_one_line(error)}. {_connecting_hint(error)}"
        ) from error


def _connecting_hint(error: Exception) -> str:
    """Say what to do about a connection that failed."""
    text = str(error)
    return next((hint for pattern, hint in CONNECTING_HINTS if re.search(pattern, text)), OTHER_CONNECTING_HINT)


def _has_tables(database: Database) -> bool:
    """Return whether the database has the server's own tables."""
    return bool(database.orm.table_exists(_history("core")))


def _create_tables(database: Database, migrations: Migrations, fill: FillDatabase) -> None:
    """Create and fill the tables, in one transaction."""
    try:
        with database.transaction():
            _apply(_status(database, migrations))
            fill(database)
    except (Refusal, *DATABASE_ERRORS) as error:
        raise StartupError(
            f"the first start could not create the database: {_one_line(error)}. Nothing was left behind."
        ) from error


def _status(database: Database, migrations: Migrations) -> list[OwnerStatus]:
    """Return which migrations of each owner were applied to the database; nothing if all of them were, and no other."""
    if is_current(database, migrations):
        return []
    runners = ((owner, Runner(database.orm, glob.escape(str(folder)), _history(owner))) for owner, folder in migrations)
    return [(owner, runner, runner.status()) for owner, runner in runners]


def is_current(database: Database, migrations: Migrations) -> bool:
    """Say whether exactly the given migrations were applied: most starts find that, and two queries tell it."""
    histories = [_history(owner) for owner, _ in migrations]
    if not set(histories) <= set(database.orm.get_tables()):
        return False
    tables = (history.replace('"', '""') for history in histories)
    selects = (f'SELECT {number}, name FROM "{table}"' for number, table in enumerate(tables))  # noqa: S608 - quoted
    applied = set(database.orm.execute_sql(" UNION ALL ".join(selects)).fetchall())
    return applied == {
        (number, file.stem) for number, (_, folder) in enumerate(migrations) for file in folder.glob("[0-9]*.py")
    }


def _refuse_newer(status: Sequence[OwnerStatus]) -> None:
    """Raise ``StartupError`` if migrations were applied that this version does not have."""
    unknown = [
        f"{owner} {migration.name}" for owner, _, found in status for migration in found if migration.path is None
    ]
    if unknown:
        raise StartupError(
            f"a newer version has written to the database: it has {', '.join(unknown)}, which this version does not"
            " know. Install that version, or restore a backup from before the upgrade. Nothing was changed."
        )


def _apply(status: Sequence[OwnerStatus]) -> None:
    """Apply the missing migrations, each in a transaction of its own or as part of the open one."""
    for owner, runner, found in status:
        if all(migration.applied for migration in found):
            continue
        try:
            runner.up()
        except Exception as error:
            if refusal := translate_database_error(error):  # the database failed, not the migration
                raise refusal from error
            raise StartupError(
                f"a migration of {owner} failed: {_one_line(error)}. It changed nothing. Install"
                " the previous version, or ask the author of the migration."
            ) from error


def _history(owner: str) -> str:
    """Return the name of the table with the applied migrations of an owner."""
    return f"{owner}_migration"


def _one_line(error: Exception) -> str:
    """Return the text of an error in one line, for use within a sentence."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
