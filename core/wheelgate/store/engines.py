"""The two supported databases: peewee's classes with a few additions."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import peewee

from wheelgate.errors import StartupError

DATABASE_TIMEOUT_SECONDS = 10
"""Seconds that a writer waits for another writer, and a new connection for its server."""
CONNECTION_WAIT_SECONDS = 30
"""Seconds that a thread waits for a connection while all of them are in use."""
COMMAND_CONNECTIONS = 4
"""Connections to PostgreSQL of a subcommand, or of the preparation of a start."""


class ConnectionTracker:
    """Tracks the connections of all threads, so that one call closes them. In peewee each thread closes its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.opened: list[tuple[threading.Thread, Any]] = []
        super().__init__(*args, **kwargs)

    @property
    def current(self) -> Any:
        """The driver's connection of this thread."""
        return self.connection()  # type: ignore[attr-defined]

    def _initialize_connection(self, connection: Any) -> None:
        """Track a new connection, and close those of ended threads. peewee calls it under its lock."""
        here = threading.current_thread()
        tracked = [(here, connection)]
        for thread, old in self.opened:
            if thread.is_alive() and thread is not here:
                tracked.append((thread, old))
            else:
                old.close()
        self.opened = tracked

    def close_all(self, may_run: Callable[[threading.Thread], bool]) -> None:
        """Close the connections of this thread, of ended threads, and of all others that are idle.

        Args:
            may_run: whether a thread may be in the middle of a query. SQLite crashes if its connection is closed then;
                one that stays open closes when its thread ends.
        """
        here = threading.current_thread()
        for thread, connection in self.opened:
            if thread is here or not thread.is_alive() or not may_run(thread):
                connection.close()
        self.opened = []
        self.dispose()  # type: ignore[attr-defined]  # peewee's method: this thread forgets its connection


class Sqlite(ConnectionTracker, peewee.SqliteDatabase):
    """A file. Opening it never creates it: a lost database must not come back empty."""

    kind = "sqlite"
    instant = True
    snapshot_mode = "DEFERRED"
    """How a transaction begins that only reads, and sees one state; the first read fixes it."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.path = Path(url.removeprefix("sqlite:///"))
        super().__init__(
            f"file:{quote(str(self.path))}?mode=rw",
            uri=True,
            timeout=DATABASE_TIMEOUT_SECONDS,
            lock_type="IMMEDIATE",
            pragmas={"synchronous": "full", "foreign_keys": 1, "query_only": int(read_only)},
            check_same_thread=False,  # only for close_all
        )

    def warm_up(self) -> None:
        """Connect this thread."""
        self.connect(reuse_if_open=True)

    def rows(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement. Without peewee's cursor, which costs 0.002 ms."""
        rows: list[tuple[Any, ...]] = self.current.execute(sql, params).fetchall()
        return rows

    def changed(self, sql: str, params: Sequence[Any]) -> int:
        """Execute a change; return the number of changed rows."""
        return int(self.execute_sql(sql, params).rowcount)  # type: ignore[no-untyped-call]

    def rollback(self) -> None:
        """Roll back, unless SQLite has already done so, for example because the disk is full."""
        if self.current.in_transaction:
            super().rollback()


class Postgresql(ConnectionTracker, peewee.PostgresqlDatabase):
    """A server. A connection that was lost while idle is opened again silently.

    A thread borrows a connection for one statement or transaction. The others wait for one, so that a server with many
    threads does not take all the connections that PostgreSQL has for all of its clients.
    """

    kind = "postgresql"
    instant = False
    snapshot_mode = "REPEATABLE READ"
    """How a transaction begins that only reads, and sees one state; the first read fixes it."""

    def __init__(self, url: str, *, read_only: bool = False, connections: int = COMMAND_CONNECTIONS) -> None:
        self._places = threading.BoundedSemaphore(connections)
        self._keep_idle = True
        self._idle: list[Any] = []
        """Open connections that no thread uses, the one that was used last at the end; peewee's lock guards it."""
        self._borrowing = threading.local()
        params = {
            "connect_timeout": DATABASE_TIMEOUT_SECONDS,
            "tcp_user_timeout": DATABASE_TIMEOUT_SECONDS * 1000,
            "application_name": "wheelgate",
        } | parse_url(url)
        # Those of the administrator, such as a search_path, come in addition; of two that contradict, the last counts.
        given = params.get("options") or os.environ.get("PGOPTIONS", "")
        mode = "-c default_transaction_read_only=on" if read_only else ""
        params["options"] = f"-c lock_timeout={DATABASE_TIMEOUT_SECONDS}s {given} {mode}".rstrip()
        params["client_encoding"] = "UTF8"
        self.place = f"'{params.get('dbname', '')}' on {params.get('host', 'this machine')}"
        super().__init__(params.pop("dbname", None) or params.get("user", "postgres"), prefer_psycopg3=True, **params)

    def rows(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement; ``?`` stands for a parameter, as in SQLite."""
        rows: list[tuple[Any, ...]] = self.execute_sql(sql.replace("?", "%s"), params).fetchall()
        return rows

    def changed(self, sql: str, params: Sequence[Any]) -> int:
        """Execute a change; return the number of changed rows."""
        return int(self.execute_sql(sql.replace("?", "%s"), params).rowcount)

    def warm_up(self) -> None:
        """Open a connection before the first request needs it."""
        self.rows("SELECT 1", ())

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Connect this thread until it calls :meth:`close`; wait if all connections are in use."""
        if not self.is_closed():
            return bool(super().connect(reuse_if_open))
        if not self._places.acquire(timeout=CONNECTION_WAIT_SECONDS):
            raise peewee.OperationalError("all connections are in use (--database-connections)")
        try:
            return bool(super().connect())
        except BaseException:
            self._places.release()
            raise

    def close(self) -> bool:
        """Give back the connection of this thread, if it has one."""
        was_open = not self.is_closed()
        try:
            return bool(super().close())
        finally:
            if was_open and self.is_closed():
                self._places.release()

    def close_all(self, may_run: Callable[[threading.Thread], bool]) -> None:
        """Close the connections; see :class:`ConnectionTracker`."""
        self._keep_idle = False
        self._close_idle()
        super().close_all(may_run)

    def execute_sql(self, sql: str, params: Sequence[Any] | None = None) -> Any:
        """Execute a statement, and repeat it once on a new connection if the old one was lost.

        Only reads are outside of transactions, so no change happens twice. The rows are here when it returns, so that
        the connection may serve another thread while they are read.
        """
        self._borrow()
        try:
            try:
                return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]
            except (peewee.OperationalError, peewee.InterfaceError):
                if not self._replace_lost_connection():
                    raise
            return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]
        finally:
            self._give_back()

    def begin(self, isolation_level: str | None = None) -> None:
        """Begin a transaction, and repeat that once on a new connection if the old one was lost."""
        self._borrow()
        try:
            try:
                super().begin(isolation_level)
            except (peewee.OperationalError, peewee.InterfaceError):
                if not self._replace_lost_connection():
                    raise
                super().begin(isolation_level)
        except BaseException:
            self._give_back()
            raise

    def commit(self) -> None:
        """Commit, and give back the connection; peewee rolls back if this raises."""
        super().commit()
        self._give_back()

    def rollback(self) -> None:
        """Roll back, and give back the connection."""
        try:
            super().rollback()
        finally:
            self._give_back()

    def _borrow(self) -> None:
        """Take a connection, unless this thread has one."""
        if self.is_closed():
            self.connect()
            self._borrowing.now = True

    def _give_back(self) -> None:
        """Give back a borrowed connection at the end of the statement or transaction that borrowed it."""
        if getattr(self._borrowing, "now", False) and not self.in_transaction():
            self._borrowing.now = False
            self.close()

    def _connect(self) -> Any:
        """Return an open connection, or a new one."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        return super()._connect()  # type: ignore[misc]

    def _close(self, connection: Any) -> None:
        """Keep a connection for the next thread, unless it is lost or in the middle of something."""
        if self._keep_idle and not connection.closed and not connection.info.transaction_status:
            self._idle.append(connection)
        else:
            connection.close()

    def _initialize_connection(self, connection: Any) -> None:
        """Track the thread that used a connection last."""
        self.opened = [each for each in self.opened if each[1] is not connection and not each[1].closed]
        self.opened.append((threading.current_thread(), connection))

    def _close_idle(self) -> None:
        with self._lock:  # type: ignore[attr-defined]
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _replace_lost_connection(self) -> bool:
        """Take another connection for a lost one, and return True. Within a transaction nothing can be repeated.

        The idle ones are probably lost, too.
        """
        if self.is_closed() or self.in_transaction() or not self.current.closed:
            return False
        self._close_idle()
        self.close()
        self.connect()
        return True


def parse_url(url: str) -> dict[str, Any]:
    """Parse a connection URL. libpq's error messages may contain half a password, so they are not shown."""
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
    # If a password is not encoded, libpq ends it at its first @ or /, and takes the rest for the host or name.
    if re.match(r"[a-z]+://[^/@:]*:@", url):
        raise StartupError(
            "the URL of the PostgreSQL database has an empty password: put the password after the colon, or leave out "
            "the colon if the database asks for none"
        )
    if params is None or any("@" in str(params.get(part, ""))[1:] for part in ("host", "dbname")):
        raise StartupError(
            "the URL of the PostgreSQL database is malformed; it has the form postgresql://user:password@host/name,"
            " with special characters of the password percent-encoded"
        )
    return params
