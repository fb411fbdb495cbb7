"""Reads and changes the stores for the event loop: instant reads run on it, everything else in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from wheelgate.store.database import Database
from wheelgate.store.group_commit import GroupCommit, PlainChange
from wheelgate.threads.pool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")


class StoreAccess:
    """Runs functions that read or change the stores."""

    def __init__(self, database: Database, pool: ThreadPool, *, instant: bool) -> None:
        """Take the database and its threads; ``instant`` says whether reads of all stores may run on the event loop."""
        self._database = database
        self._pool = pool
        self._changes = GroupCommit("changes", self.within_transaction) if database.kind == "sqlite" else None
        self.instant = instant
        """Whether reads may run on the event loop, without :meth:`read`."""
        self.serial = 0
        """The latest change serial that this worker has read."""
        self.serial_read = 0.0
        """When this worker began to read it, on the clock of ``time.monotonic``."""
        self._serial_lock = threading.Lock()

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that only reads."""
        if self.instant:
            return function(*args, **kwargs)
        return await self._pool.run(function, *args, **kwargs)

    async def change(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function within a transaction, which is rolled back if the function raises.

        The function may be called twice. On SQLite, concurrent changes share a transaction; if one of them raises, each
        is repeated in a transaction of its own.
        """
        change = partial(function, *args, **kwargs)
        if self._changes is not None:
            return await self._changes.run(PlainChange(change))
        return await self._pool.run(self.within_transaction, change)

    def within_transaction(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function as :meth:`change` does, in the current thread."""
        with self._database.transaction():
            answer = function(*args, **kwargs)
        self.read_serial()
        return answer

    def read_serial(self) -> int:
        """Return the current change serial; every committed transaction of any process increments it."""
        began = time.monotonic()
        serial = self._database.serial()
        with self._serial_lock:
            if serial >= self.serial:  # a slow thread must not turn the serial back
                self.serial, self.serial_read = serial, began
        return serial

    def close(self) -> None:
        """Commit the waiting changes, and end the thread."""
        if self._changes is not None:
            self._changes.close()
