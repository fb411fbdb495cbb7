"""How the event loop reaches the stores: reads stay on it where they are instant, everything else hops once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

from wheelgate.store.database import Database
from wheelgate.store.group_commit import Change, GroupCommit
from wheelgate.store.protocols import UserStore
from wheelgate.threads.pool import Pool
from wheelgate.values import User

P = ParamSpec("P")
T = TypeVar("T")


class Access:
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

    def close(self) -> None:
        """Make the changes that wait, and end the thread that makes them."""
        if self._changes is not None:
            self._changes.close()


def known_user(users: UserStore, kept: Kept, name: str) -> User | None:
    """Return the user of that name, from memory if nothing has changed. Belongs outside of transactions."""
    values = kept.now()
    key = ("user", name)
    if key not in values:
        values[key] = users.get(name)
    user: User | None = values[key]
    return user


class Kept:
    """What was read from the stores and holds until something changes.

    Each state of the stores has a dictionary of its own, so that a slow reader can only add to the past.
    """

    def __init__(self, database: Database, access: Access, limit: int = 10_000) -> None:
        self._database = database
        self._access = access
        self._limit = limit
        self._serial = -1
        self._values: dict[Any, Any] = {}

    def now(self) -> dict[Any, Any]:
        """Return the dictionary for the state that the stores are in."""
        serial = self._database.serial()
        if serial != self._serial or len(self._values) > self._limit:
            self._values = {}
            self._serial = serial
            self._access.serial = serial
        return self._values
