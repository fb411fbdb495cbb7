"""The one handle on the database: transactions, bare reads, and the counter that tells whether anything changed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from wheelgate.errors import BackendUnavailable, StartupError
from wheelgate.store import errors as faults
from wheelgate.store.change_counter import Beacon
from wheelgate.store.engines import Postgresql, Sqlite

log = logging.getLogger(__name__)

TRUST = 1.0
"""Seconds that the beacon is believed: if somebody removes its file, workers are in the dark for no longer."""


class Database:
    """A database; every thread has its own connection to it, opened when it is first used."""

    orm: Sqlite | Postgresql
    """peewee's database, for the models of plugins: ``Row.insert(…).execute(database.orm)``."""
    kind: str
    """``sqlite`` or ``postgresql``."""
    instant: bool
    """True if reads take no longer than a page-cache hit, so that they may run on the event loop."""

    read_only: bool
    """True if nothing can be changed by it."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        """Take ``sqlite:////folder/file`` or ``postgresql://user:password@host/name``; nothing is opened yet.

        Raises:
            StartupError: the URL cannot be read, or the driver is not installed.
        """
        match url.partition(":")[0]:
            case "sqlite":
                self.orm = Sqlite(url, read_only=read_only)
            case "postgresql" | "postgres":
                self.orm = Postgresql(url, read_only=read_only)
            case scheme:
                raise StartupError(
                    f"the database's URL must begin with sqlite:/// or postgresql://, not with {scheme[:20]!r}"
                )
        self.read_only = read_only
        self.kind = self.orm.kind
        self.instant = self.orm.instant
        self._seen = threading.local()
        self._beacon: Beacon | None = None

    def open(self) -> None:
        """Connect this thread before the first request has to. A database that is down now may come up later."""
        try:
            self.orm.connect(reuse_if_open=True)
            self._find_beacon()
        except (BackendUnavailable, *faults.ERRORS) as error:
            log.warning("the database does not answer yet: %s", faults.refusal(error) or error)

    def close(self) -> None:
        """Close the connections of all threads, which must be idle. A closed database is not opened again."""
        self.orm.close_all()
        beacon, self._beacon = self._beacon, None
        if beacon is not None:
            beacon.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the changes inside one: all of them are kept, or none. A nested one is part of the outer.

        ``peewee.IntegrityError`` comes through for the store to judge. If PostgreSQL is lost in the very moment of
        the commit, nobody can tell whether the changes were kept.

        Raises:
            BackendUnavailable: the database is locked, lost, damaged or read-only.
            StorageFull: the disk is full.
        """
        if self.orm.in_transaction():
            yield
            return
        beacon, mine = self._find_beacon(), 0
        try:
            with ExitStack() as afterwards, self.orm.atomic():
                if beacon is not None:
                    mine = beacon.begin()
                    afterwards.callback(beacon.end, mine)
                yield
                serial = self.returning("UPDATE server_state SET serial = serial + 1 RETURNING serial")[0][0]
            self._saw(serial, mine + 1)
        except faults.ERRORS as error:
            if told := faults.refusal(error):
                self.orm.close()  # SQLite keeps a connection read-only that was opened while the file was
                raise told from error
            raise

    def read(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT in SQL that both databases know; ``?`` stands for a parameter and nothing else.

        Raises:
            BackendUnavailable: the database does not answer.
        """
        try:
            return self.orm.rows(sql, params)
        except faults.ERRORS as error:
            if told := faults.refusal(error):
                raise told from error
            raise

    def write(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Execute a change inside the open transaction, which reports its failures; return how many rows it met."""
        return self.orm.changed(sql, params)

    def returning(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Execute a change with RETURNING inside the open transaction; return the rows as they are then."""
        return self.orm.rows(sql, params)

    def serial(self) -> int:
        """Return the change counter, which grows with every committed transaction of any thread, process or node."""
        if self._beacon is None:
            return self._read_serial()
        seen, number, now = self._seen, self._beacon.number, time.monotonic()
        if number != getattr(seen, "number", None) or now > seen.until:
            self._saw(self._read_serial(), number)
        return int(seen.serial)

    def _saw(self, serial: int, number: int) -> None:
        """Remember for this thread which serial goes with the beacon's number."""
        self._seen.serial = serial
        # Odd is a change under way: its end may come at any moment, so nothing is taken for known until then.
        self._seen.number = None if number % 2 else number
        self._seen.until = time.monotonic() + TRUST

    def _find_beacon(self) -> Beacon | None:
        """Return the beacon; None for a database that has none, because it is just being built or is a server's."""
        if self._beacon is None and isinstance(self.orm, Sqlite):
            with suppress(FileNotFoundError):
                self._beacon = Beacon(self.orm.path)
        return self._beacon

    def _read_serial(self) -> int:
        return int(self.read("SELECT serial FROM server_state")[0][0])
