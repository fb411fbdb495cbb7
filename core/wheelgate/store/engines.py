"""The two databases that the server knows, as peewee's classes with the little that these leave open."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import peewee

from wheelgate.errors import StartupError

WAIT = 10
"""Seconds that a writer waits for another one, and a connection for its server."""


class Remembering:
    """Knows the connections of all threads, so that one call closes them; by peewee each thread closes its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.opened: list[tuple[threading.Thread, Any]] = []
        super().__init__(*args, **kwargs)

    @property
    def current(self) -> Any:
        """This thread's connection: the driver's own object."""
        return self.connection()  # type: ignore[attr-defined]

    def _initialize_connection(self, connection: Any) -> None:
        """Take note of a new connection: peewee calls this under its lock. What ended threads left is closed here."""
        here = threading.current_thread()
        kept = [(here, connection)]
        for thread, old in self.opened:
            if thread.is_alive() and thread is not here:
                kept.append((thread, old))
            else:
                old.close()
        self.opened = kept

    def close_all(self) -> None:
        """Close the connections of every thread; none may be at work any more."""
        for _, connection in self.opened:
            connection.close()
        self.opened = []
        self.dispose()  # type: ignore[attr-defined]  # peewee's: this thread forgets its connection


class Sqlite(Remembering, peewee.SqliteDatabase):
    """A file. It is never made by opening it: a database that is gone must not come back empty."""

    kind = "sqlite"
    instant = True

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.path = Path(url.removeprefix("sqlite:///"))
        super().__init__(
            f"file:{quote(str(self.path))}?mode=rw",
            uri=True,
            timeout=WAIT,
            lock_type="IMMEDIATE",
            pragmas={"synchronous": "full", "foreign_keys": 1, "query_only": int(read_only)},
            check_same_thread=False,  # only for close_all
        )

    def rows(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Read without peewee's cursor: 0.002 ms less."""
        rows: list[tuple[Any, ...]] = self.current.execute(sql, params).fetchall()
        return rows

    def changed(self, sql: str, params: Sequence[Any]) -> int:
        """Execute a change and count its rows."""
        return int(self.execute_sql(sql, params).rowcount)  # type: ignore[no-untyped-call]

    def rollback(self) -> None:
        """Undo, unless SQLite has done so by itself, as it does when the disk is full."""
        if self.current.in_transaction:
            super().rollback()


class Postgresql(Remembering, peewee.PostgresqlDatabase):
    """A server. A connection that was lost while nobody used it is opened again without a word."""

    kind = "postgresql"
    instant = False

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        mode = " -c default_transaction_read_only=on" if read_only else ""
        params = {
            "connect_timeout": WAIT,
            "tcp_user_timeout": WAIT * 1000,
            "options": f"-c lock_timeout={WAIT}s{mode}",
            "application_name": "wheelgate",
        } | _parsed(url)
        self.place = f"'{params.get('dbname', '')}' on {params.get('host', 'this machine')}"
        super().__init__(params.pop("dbname", None) or params.get("user", "postgres"), prefer_psycopg3=True, **params)

    def rows(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Read; ``?`` stands for a parameter, here as there."""
        rows: list[tuple[Any, ...]] = self.execute_sql(sql.replace("?", "%s"), params).fetchall()
        return rows

    def changed(self, sql: str, params: Sequence[Any]) -> int:
        """Execute a change and count its rows."""
        return int(self.execute_sql(sql.replace("?", "%s"), params).rowcount)

    def execute_sql(self, sql: str, params: Sequence[Any] | None = None) -> Any:
        """Execute, and once more if the connection turns out to be lost.

        Only reads stand outside a transaction, so nothing is done twice.
        """
        try:
            return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]
        except (peewee.OperationalError, peewee.InterfaceError):
            if not self._lost():
                raise
        return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]

    def begin(self, isolation_level: str | None = None) -> None:
        """Begin, and once more if the connection turns out to be lost."""
        try:
            super().begin(isolation_level)
        except (peewee.OperationalError, peewee.InterfaceError):
            if not self._lost():
                raise
            super().begin(isolation_level)

    def _lost(self) -> bool:
        """Let go of a connection that is lost; inside a transaction nothing can be repeated, so it stays."""
        if self.is_closed() or self.in_transaction() or not self.current.closed:
            return False
        self.close()
        return True


def _parsed(url: str) -> dict[str, Any]:
    """Read a connection URL. libpq's own complaints may quote half a password, so they are not passed on."""
    try:
        from psycopg import ProgrammingError, conninfo  # here, because most servers run without it
    except ImportError as error:
        raise StartupError(
            "a PostgreSQL database needs the driver psycopg, which is not installed; run: "
            "pip install 'wheelgate[postgresql]'"
        ) from error
    try:
        params = dict(conninfo.conninfo_to_dict(url))
    except ProgrammingError:
        params = None
    # A password that is not encoded ends at its first @ or /, and the rest of it stands in host or name.
    if params is None or any("@" in str(params.get(part, ""))[1:] for part in ("host", "dbname")):
        raise StartupError(
            "the URL of the PostgreSQL database cannot be read; it has the form postgresql://user:password@host/name,"
            " with special characters of the password percent-encoded"
        )
    return params
