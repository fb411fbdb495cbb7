"""A thread pool whose waiting calls begin in the order of their rank, not of their arrival."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from wheelgate.threads.pool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")

LONGEST_WAITING_TURN = 4
"""Every fourth call to begin is the one that has waited longest, whatever its rank, so that none waits forever."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    rank: Callable[[], int]
    begin: asyncio.Future[None]


class RankedPool:
    """Runs as many calls in a pool as it has threads; of the others, the one with the lowest rank begins next."""

    def __init__(self, pool: ThreadPool, threads: int) -> None:
        """Take the pool, and the number of its threads."""
        self._pool = pool
        self._free = threads
        self._begun = 0
        self._waiting: list[_Waiting] = []
        """In the order of their arrival."""
        self._lock = threading.Lock()

    async def run(self, rank: Callable[[], int], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function in one of the threads and wait for it.

        Args:
            rank: returns the rank; asked whenever a thread is free, because it may change while the call waits.
            function: the function.
            args: its arguments.
            kwargs: its arguments by name.
        """
        await self._take_thread(rank)
        running = self._pool.submit(function, *args, **kwargs)
        # The thread is free when the call has ended, not when the client goes away.
        running.add_done_callback(self._pass_on)
        return await asyncio.wrap_future(running)

    async def _take_thread(self, rank: Callable[[], int]) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            waiting = _Waiting(rank, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
        try:
            await waiting.begin
        except asyncio.CancelledError:
            with self._lock:
                passed_on = waiting not in self._waiting
                if not passed_on:
                    self._waiting.remove(waiting)
            if passed_on:
                self._pass_on()
            raise

    def _pass_on(self, ended: Future[T] | None = None) -> None:
        """Give the thread of an ended call to the next one."""
        with self._lock:
            if not self._waiting:
                self._free += 1
                return
            self._begun += 1
            longest = self._begun % LONGEST_WAITING_TURN == 0
            waiting = self._waiting[0] if longest else min(self._waiting, key=lambda each: each.rank())
            self._waiting.remove(waiting)
        with suppress(RuntimeError):  # its loop has ended, and with it the server
            waiting.begin.get_loop().call_soon_threadsafe(begin_unless_cancelled, waiting.begin)


def begin_unless_cancelled(begin: asyncio.Future[None]) -> None:
    """Let a call begin; one that was cancelled in the meantime passes its thread on by itself."""
    if not begin.done():
        begin.set_result(None)
