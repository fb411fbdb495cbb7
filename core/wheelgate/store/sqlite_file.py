"""The file of a SQLite database: how it comes into being at once or not at all, and how one that is broken is told."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee

from wheelgate.errors import StartupError, StorageFull
from wheelgate.store import errors as faults
from wheelgate.store.change_counter import Beacon
from wheelgate.store.engines import Sqlite

MAGIC = b"SQLite format 3\0"
PAGES = {512 << doubled for doubled in range(8)}
COMPANIONS = ("-wal", "-shm", "-journal")
DRAFT = ".new"
RESTORE = "Restore it from a backup. Nothing was changed, and no empty database was begun in its place."


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes from preparing the same file. The lock's own file stays, it holds nothing."""
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
    """Say whether there is no database yet.

    Raises:
        StartupError: the file is gone but its log is there: a new database would swallow the log of the old one.
    """
    if os.path.lexists(path):
        return False
    if found := _companions(path):
        raise StartupError(
            f"the database '{path.name}' is missing, but its log '{found[0].name}' is there. Put the database back"
            " beside it, or restore it from a backup; to begin anew, move the log away."
        )
    return True


@contextmanager
def draft(path: Path) -> Iterator[Path]:
    """Give a new file to fill, which takes the place of ``path`` if all goes well and vanishes otherwise."""
    new = Path(f"{path}{DRAFT}")
    try:
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        yield new
        _sync(new)
        new.rename(path)
        _sync(path.parent)
    finally:
        sweep(path)


def sweep(path: Path) -> None:
    """Remove what a first start that was killed has left."""
    for suffix in ("", *COMPANIONS):
        Path(f"{path}{DRAFT}{suffix}").unlink(missing_ok=True)


def check(orm: Sqlite) -> None:
    """Prove that the file is a whole database that can be written to.

    Raises:
        StartupError: it is not; nothing was changed.
    """
    name = orm.path.name
    try:
        # Before SQLite opens it: to close a file gives up the locks that this process has on it (POSIX fcntl).
        with orm.path.open("rb") as file:
            head = file.read(18)
            size = file.seek(0, os.SEEK_END)
    except OSError as error:
        raise StartupError(f"the database '{name}' cannot be read ({error.strerror}). {RESTORE}") from error
    if not head:
        raise StartupError(f"the database '{name}' is empty (0 bytes). {RESTORE}")
    if head[:16] != MAGIC:
        raise StartupError(f"the database '{name}' is not a SQLite database, or its beginning is damaged. {RESTORE}")
    page = 65536 if head[16:] == b"\0\1" else int.from_bytes(head[16:])
    if page in PAGES and size % page and not _companions(orm.path):  # a log would have the rest of the last page
        raise StartupError(f"the database '{name}' is cut off at {size} bytes. {RESTORE}")
    try:
        found = str(orm.rows("PRAGMA quick_check(1)", ())[0][0])
    except faults.ERRORS as error:
        raise StartupError(f"the database '{name}' cannot be read ({error}). {RESTORE}") from error
    if found != "ok":
        raise StartupError(f"the database '{name}' is damaged ({' '.join(found.split())}). {RESTORE}")
    try:
        orm.begin()
        orm.pragma("user_version", 0)  # BEGIN IMMEDIATE alone says nothing about a file that is read-only
        orm.rollback()
    except peewee.OperationalError as error:
        if isinstance(told := faults.refusal(error), StorageFull):
            raise told from error
        raise StartupError(
            f"the database '{name}' cannot be written to ({error}). Make the file and its folder writable for"
            " the user who runs the server, and end other programs that hold it."
        ) from error


def settle(orm: Sqlite) -> None:
    """Give a database that is built, or came from a backup, its permissions (the owner's alone), log and beacon."""
    orm.path.chmod(0o600)
    orm.pragma("journal_mode", "wal")
    Beacon.make(orm.path)


def _companions(path: Path) -> list[Path]:
    """Return the logs that lie beside a database."""
    return [log for suffix in COMPANIONS if os.path.lexists(log := Path(f"{path}{suffix}"))]


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
