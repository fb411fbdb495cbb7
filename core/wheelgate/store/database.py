"""The database of the server: transactions, plain SQL, and the change serial."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import Any

from wheelgate.errors import BackendUnavailable, StartupError
from wheelgate.store.change_counter import ChangeCounter
from wheelgate.store.engines import COMMAND_CONNECTIONS, Postgresql, Sqlite
from wheelgate.store.errors import DATABASE_ERRORS, translate_database_error

log = logging.getLogger(__name__)

COUNTER_RECHECK_SECONDS = 1.0
"""Seconds after which a worker reads the serial even if the counter is unchanged: its file may have been removed."""


def no_thread(thread: threading.Thread) -> bool:
    """Say that no thread is in the middle of a query."""
    return False


class Database:
    """A database.

    Every thread has its own connection to SQLite, which it opens at its first use. Of PostgreSQL it borrows one for
    each statement or transaction.
    """

    orm: Sqlite | Postgresql
    """peewee's database, for the models of plugins: ``Row.insert(…).execute(database.orm)``."""
    kind: str
    """``sqlite`` or ``postgresql``."""
    instant: bool
    """True if reads take no longer than a page-cache hit; they then run on the event loop."""

    read_only: bool
    """True if it refuses every change."""

    def __init__(self, url: str, *, read_only: bool = False, connections: int = COMMAND_CONNECTIONS) -> None:
        """Take ``sqlite:////folder/file`` or ``postgresql://user:password@host/name``, and open nothing yet.

        Args:
            url: the address of the database.
            read_only: whether to refuse every change.
            connections: how many connections to PostgreSQL this process may have; each thread has its own to SQLite.

        Raises:
            StartupError: the URL is malformed, or the driver is not installed.
        """
        match url.partition(":")[0]:
            case "sqlite":
                self.orm = Sqlite(url, read_only=read_only)
            case "postgresql" | "postgres":
                self.orm = Postgresql(url, read_only=read_only, connections=connections)
            case scheme:
                raise StartupError(
                    f"--database: the URL must begin with sqlite:/// or postgresql://, not with {scheme[:20]!r}"
                )
        self.read_only = read_only
        self.kind = self.orm.kind
        self.instant = self.orm.instant
        self._writer = threading.Lock() if self.kind == "sqlite" else nullcontext()
        """SQLite allows one writer at a time; a second thread would poll until the first has finished, or give up."""
        self._last_read = threading.local()
        self._counter: ChangeCounter | None = None

    def open(self) -> None:
        """Connect this thread before the first request needs it. Log a warning if the database is down."""
        try:
            self.orm.warm_up()
            self._find_counter()
        except (BackendUnavailable, *DATABASE_ERRORS) as error:
            log.warning("the database does not answer yet: %s", translate_database_error(error) or error)

    def close(self, may_run: Callable[[threading.Thread], bool] = no_thread) -> None:
        """Close the connections of all threads. Nothing may use a closed database.

        Args:
            may_run: whether a thread may be in the middle of a query, for example of a plugin that took too long. Its
                connection then stays open.
        """
        self.orm.close_all(may_run)
        counter, self._counter = self._counter, None
        if counter is not None:
            counter.close()

    @contextmanager
    def transaction(self, *, derived: bool = False) -> Iterator[None]:
        """Commit all changes of the ``with`` block, or none if it raises. A nested transaction joins the outer one.

        With ``derived`` it leaves the change serial as it is, so that everything that is cached until the next change
        stays valid. Use it only for tables whose rows can be made again from others, and of which nothing is cached.

        ``peewee.IntegrityError`` is not translated: only the store knows what it means. If the connection to
        PostgreSQL breaks during the commit, the server cannot know whether the changes were committed.

        Raises:
            BackendUnavailable: the database is busy, down, damaged or read-only.
            StorageFull: the disk is full.
        """
        if self.orm.in_transaction():
            yield
            return
        if derived:
            with self._refusing(), self._writer, self.orm.atomic():
                yield
            return
        counter, mine = self._find_counter(), 0
        with self._refusing():
            with self._writer, ExitStack() as afterwards, self.orm.atomic():
                if counter is not None:
                    mine = counter.begin()
                    afterwards.callback(counter.end, mine)
                yield
                serial = self.returning("UPDATE server_state SET serial = serial + 1 RETURNING serial")[0][0]
            self._remember(serial, mine + 1)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other writers away from a ``with`` block that changes no row; within a transaction it does nothing.

        It writes nothing, so it also works on a full disk.

        Raises:
            BackendUnavailable: as :meth:`transaction` does.
        """
        with self.transaction(derived=True):
            yield

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Translate the errors of a transaction."""
        try:
            yield
        except DATABASE_ERRORS as error:
            if refusal := translate_database_error(error):
                self.orm.close()  # a connection of SQLite stays read-only if the file was when it was opened
                raise refusal from error
            raise

    def read(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT. Use SQL that both databases know; every ``?`` is a parameter.

        Raises:
            BackendUnavailable: the database does not answer.
        """
        try:
            return self.orm.rows(sql, params)
        except DATABASE_ERRORS as error:
            if refusal := translate_database_error(error):
                raise refusal from error
            raise

    def write(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Execute a change within the open transaction, which translates errors; return the number of changed rows."""
        return self.orm.changed(sql, params)

    def returning(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Execute a change with RETURNING within the open transaction; return its rows."""
        return self.orm.rows(sql, params)

    def serial(self) -> int:
        """Return the change serial, which grows with every committed transaction of any thread, process or node."""
        if self._counter is None:
            return self._read_serial()
        last, number, now = self._last_read, self._counter.number, time.monotonic()
        if number != getattr(last, "number", None) or now > last.until:
            self._remember(self._read_serial(), number)
        return int(last.serial)

    def _remember(self, serial: int, number: int) -> None:
        """Remember for this thread which serial belongs to a number of the counter."""
        self._last_read.serial = serial
        # An odd number means a change in progress. It may end at any moment, so the serial is not trusted until then.
        self._last_read.number = None if number % 2 else number
        self._last_read.until = time.monotonic() + COUNTER_RECHECK_SECONDS

    def _find_counter(self) -> ChangeCounter | None:
        """Return the counter; None for PostgreSQL, and for a file that is just being built."""
        if self._counter is None and isinstance(self.orm, Sqlite):
            with suppress(FileNotFoundError):
                self._counter = ChangeCounter(self.orm.path)
        return self._counter

    def _read_serial(self) -> int:
        return int(self.read("SELECT serial FROM server_state")[0][0])
