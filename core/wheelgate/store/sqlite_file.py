"""The file of a SQLite database: how it is created completely or not at all, and how a damaged one is recognised."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee

from wheelgate.disk import sync
from wheelgate.errors import StartupError, StorageFull
from wheelgate.store.change_counter import ChangeCounter
from wheelgate.store.engines import Sqlite
from wheelgate.store.errors import DATABASE_ERRORS, translate_database_error

SQLITE_MAGIC = b"SQLite format 3\0"
PAGE_SIZES_BYTES = {512 << doubled for doubled in range(8)}
"""Valid page sizes (SQLite's database file format, section 1.3.2)."""
LOG_SUFFIXES = ("-wal", "-shm", "-journal")
NEW_SUFFIX = ".new"
"""Suffix of a database that the first start is creating."""
RESTORE_ADVICE = "Restore it from a backup. Nothing was changed, and no empty database was created in its place."


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes from preparing the same file. The empty lock file stays."""
    try:
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartupError(
            f"the folder of the database '{path.name}' cannot be written to ({error.strerror}). Make it writable for"
            " the user who runs the server."
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def missing(path: Path) -> bool:
    """Return whether the database does not exist yet.

    Raises:
        StartupError: the file does not exist but its log does. A new database would swallow the log of the old one.
    """
    if os.path.lexists(path):
        return False
    if found := _logs(path):
        raise StartupError(
            f"the database '{path.name}' is missing, but its log '{found[0].name}' is there. Put the database back"
            " beside it, or restore it from a backup. To start with an empty database, move the log away."
        )
    return True


@contextmanager
def building(path: Path) -> Iterator[Path]:
    """Create a file to build a database in. The end of the ``with`` block renames it to ``path``, or removes it."""
    new = Path(f"{path}{NEW_SUFFIX}")
    try:
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        yield new
        sync(new)
        new.rename(path)
        sync(path.parent)
    finally:
        sweep(path)


def sweep(path: Path) -> None:
    """Remove the files of a first start that was killed."""
    for suffix in ("", *LOG_SUFFIXES):
        Path(f"{path}{NEW_SUFFIX}{suffix}").unlink(missing_ok=True)


def check(orm: Sqlite) -> None:
    """Check that the file is an undamaged database that can be written to.

    Raises:
        StartupError: it is not. Nothing was changed.
    """
    name = orm.path.name
    try:
        # Before SQLite opens it: closing a file releases all locks that this process has on it (POSIX fcntl).
        with orm.path.open("rb") as file:
            head = file.read(18)
            size = file.seek(0, os.SEEK_END)
    except OSError as error:
        raise StartupError(f"the database '{name}' cannot be read ({error.strerror}). {RESTORE_ADVICE}") from error
    if not head:
        raise StartupError(f"the database '{name}' is empty (0 bytes). {RESTORE_ADVICE}")
    if head[:16] != SQLITE_MAGIC:
        raise StartupError(
            f"the database '{name}' is not a SQLite database, or its beginning is damaged. {RESTORE_ADVICE}"
        )
    page = 65536 if head[16:] == b"\0\1" else int.from_bytes(head[16:])
    if page in PAGE_SIZES_BYTES and size % page and not _logs(orm.path):  # a log could hold the rest of the last page
        raise StartupError(f"the database '{name}' is cut off at {size} bytes. {RESTORE_ADVICE}")
    try:
        found = str(orm.rows("PRAGMA quick_check(1)", ())[0][0])
    except DATABASE_ERRORS as error:
        raise StartupError(f"the database '{name}' cannot be read ({error}). {RESTORE_ADVICE}") from error
    if found != "ok":
        raise StartupError(f"the database '{name}' is damaged ({' '.join(found.split())}). {RESTORE_ADVICE}")
    try:
        orm.begin()
        orm.pragma("user_version", 0)  # BEGIN IMMEDIATE alone does not notice a read-only file
        orm.rollback()
    except peewee.OperationalError as error:
        if isinstance(refusal := translate_database_error(error), StorageFull):
            raise refusal from error
        raise StartupError(
            f"the database '{name}' cannot be written to ({error}). Make the file and its folder writable for"
            " the user who runs the server, and end other programs that use it."
        ) from error


def set_up(orm: Sqlite) -> None:
    """Set the permissions, the log mode and the counter of a database that is new or was restored from a backup."""
    orm.path.chmod(0o600)
    orm.pragma("journal_mode", "wal")
    ChangeCounter.create(orm.path)


def _logs(path: Path) -> list[Path]:
    """Return the logs beside a database."""
    return [log for suffix in LOG_SUFFIXES if os.path.lexists(log := Path(f"{path}{suffix}"))]
