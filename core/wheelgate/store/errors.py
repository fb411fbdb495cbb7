"""What a database reports when it fails, put into the words of the domain."""

from __future__ import annotations

import errno
import sqlite3
from typing import Any

import peewee

from wheelgate.errors import BackendUnavailable, Refusal, StorageFull

ERRORS = (sqlite3.Error, peewee.PeeweeException)
"""Everything that a database raises: bare statements raise the first, peewee's the second."""

SOON = 1
LATER = 10
"""Seconds until it is worth while to try again: another writer is quick, an administrator is not."""


def refusal(error: Exception) -> Refusal | None:
    """Return what a request is told about ``error``; None if it is not the database's fault but ours."""
    cause: Any = error
    while isinstance(cause, peewee.PeeweeException) and hasattr(cause, "orig"):
        cause = cause.orig  # the driver's, which peewee wraps once or twice
    if code := getattr(cause, "sqlite_errorcode", None):
        return _sqlite(code, cause.sqlite_errorname)
    if isinstance(error, peewee.OperationalError | peewee.InterfaceError | peewee.InternalError):
        return _postgresql(getattr(cause, "sqlstate", None) or "")
    return None


def unusable(error: OSError) -> Refusal:
    """Return what a request is told if a file beside the database cannot be opened or written."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _full()
    return _broken(errno.errorcode.get(error.errno or 0, "unknown error"))


def _sqlite(code: int, name: str) -> Refusal | None:
    """Judge one of SQLite's result codes, whose low byte is the kind of failure."""
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:  # the log's index did not fit
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
                retry_after=LATER,
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


def _postgresql(state: str) -> Refusal:
    """Judge an SQLSTATE (PostgreSQL's appendix A); it is empty if the connection itself failed."""
    match state[:2]:
        case "53" if state == "53100":
            return _full()
        case "40" | "55":  # a deadlock, a lock that was not given in time
            return _busy()
        case "25":
            return BackendUnavailable(
                "the database takes no changes at present (it is read-only), so nothing was changed; try again later",
                retry_after=LATER,
            )
    return BackendUnavailable("the database does not answer; try again in a moment", retry_after=5)


def _full() -> Refusal:
    return StorageFull(
        "no space is left on the disk of the database, so nothing was changed; free some and repeat", retry_after=LATER
    )


def _broken(name: str) -> Refusal:
    return BackendUnavailable(
        f"the database cannot be used ({name}), so nothing was changed; an administrator has to look at its disk",
        retry_after=LATER,
    )


def _busy() -> Refusal:
    return BackendUnavailable("the database is busy, so nothing was changed; repeat in a moment", retry_after=SOON)
