"""Database errors as refusals that a client may see."""

from __future__ import annotations

import errno
import sqlite3
from typing import Any

import peewee

from wheelgate.errors import BackendUnavailable, Refusal, StorageFull

DATABASE_ERRORS = (sqlite3.Error, peewee.PeeweeException)
"""All exceptions of a database: those of the driver for bare statements, and peewee's."""

BUSY_RETRY_AFTER_SECONDS = 1
"""Seconds after which a client may try again if another writer was busy."""
DOWN_RETRY_AFTER_SECONDS = 5
"""Seconds after which a client may try again if the database server did not answer."""
BROKEN_RETRY_AFTER_SECONDS = 10
"""Seconds after which a client may try again after a failure that an administrator has to repair."""


def translate_database_error(error: Exception) -> Refusal | None:
    """Return the refusal for a database error; None if the error is a mistake in the program."""
    cause: Any = error
    while isinstance(cause, peewee.PeeweeException) and hasattr(cause, "orig"):
        cause = cause.orig  # the driver's error, which peewee wraps once or twice
    if code := getattr(cause, "sqlite_errorcode", None):
        return _translate_sqlite(code, cause.sqlite_errorname)
    if isinstance(error, peewee.OperationalError | peewee.InterfaceError | peewee.InternalError):
        return _translate_postgresql(getattr(cause, "sqlstate", None) or "")
    return None


def translate_file_error(error: OSError) -> Refusal:
    """Return the refusal for a file beside the database that cannot be opened or written."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _full()
    return _broken(errno.errorcode.get(error.errno or 0, "unknown error"))


def _translate_sqlite(code: int, name: str) -> Refusal | None:
    """Translate a result code of SQLite, whose low byte is the kind of failure."""
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:  # the index of the write-ahead log did not fit
        return _full()
    match code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return _full()
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return _busy()
        case sqlite3.SQLITE_READONLY:
            return BackendUnavailable(
                "the database cannot be written to, so nothing was changed; an administrator has to make its folder"
                " writable again",
                retry_after=BROKEN_RETRY_AFTER_SECONDS,
            )
        case (
            sqlite3.SQLITE_IOERR
            | sqlite3.SQLITE_CANTOPEN
            | sqlite3.SQLITE_CORRUPT
            | sqlite3.SQLITE_NOTADB
            | sqlite3.SQLITE_PERM
            | sqlite3.SQLITE_PROTOCOL
        ):
            return _broken(name)
    return None


def _translate_postgresql(state: str) -> Refusal:
    """Translate an SQLSTATE (PostgreSQL's appendix A); it is empty if the connection failed."""
    match state[:2]:
        case "53" if state == "53100":
            return _full()
        case "40" | "55":  # a deadlock, or a lock that was not free in time
            return _busy()
        case "25":
            return BackendUnavailable(
                "the database is read-only at present, so nothing was changed; try again later",
                retry_after=BROKEN_RETRY_AFTER_SECONDS,
            )
    return BackendUnavailable(
        "the database does not answer; try again in a moment", retry_after=DOWN_RETRY_AFTER_SECONDS
    )


def _full() -> Refusal:
    return StorageFull(
        "no space is left on the disk of the database, so nothing was changed; try again after an administrator has"
        " freed some",
        retry_after=BROKEN_RETRY_AFTER_SECONDS,
    )


def _broken(name: str) -> Refusal:
    return BackendUnavailable(
        f"the database cannot be used ({name}), so nothing was changed; an administrator has to look at its disk",
        retry_after=BROKEN_RETRY_AFTER_SECONDS,
    )


def _busy() -> Refusal:
    return BackendUnavailable(
        "the database is busy, so nothing was changed; try again in a moment", retry_after=BUSY_RETRY_AFTER_SECONDS
    )
