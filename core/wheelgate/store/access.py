"""How the event loop reaches the stores: reads stay on it where they are instant, everything else hops once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from wheelgate.store.database import Database
from wheelgate.store.group_commit import Change, GroupCommit
from wheelgate.threads.pool import Pool

P = ParamSpec("P")
T = TypeVar("T")


class StoreAccess:
    """Runs functions that read or change the stores."""

    def __init__(self, database: Database, pool: Pool, *, instant: bool) -> None:
        """Take the database, the threads for it, and whether reads of all stores may run on the event loop."""
        self._database = database
        self._pool = pool
        self._turn = threading.Lock() if database.kind == "sqlite" else contextlib.nullcontext()
        """SQLite lets one write at a time; who finds it busy would look again and again."""
        self._changes = GroupCommit("changes", self.within_transaction) if database.kind == "sqlite" else None
        self.instant = instant
        """Whether reads may be made without :meth:`read`, on the event loop."""
        self.serial = 0
        """The change counter as this worker saw it last."""

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that only reads."""
        if self.instant:
            return function(*args, **kwargs)
        return await self._pool.run(function, *args, **kwargs)

    async def change(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function inside a transaction, which is undone if it raises.

        It may be called again: on SQLite those that come at the same time share a transaction, and if one of them
        raises, each gets its own.
        """
        change = partial(function, *args, **kwargs)
        if self._changes is not None:
            return await self._changes.do(Change(change))
        return await self._pool.run(self.within_transaction, change)

    def within_transaction(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function as :meth:`change` does, in the thread that is there already."""
        with self._turn, self._database.transaction():
            answer = function(*args, **kwargs)
        self.serial = self._database.serial()
        return answer

    def read_serial(self) -> int:
        """Return the change counter as it is now; every committed transaction of any process increments it."""
        self.serial = serial = self._database.serial()
        return serial

    def close(self) -> None:
        """Make the changes that wait, and end the thread that makes them."""
        if self._changes is not None:
            self._changes.close()
