"""The one hop from the event loop into a thread: bounded, with a time budget, and with a circuit that opens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from wheelgate.errors import BackendUnavailable, Refusal

P = ParamSpec("P")
T = TypeVar("T")

FAILURES_UNTIL_OPEN = 5
OPEN_FOR = 30.0
IN_FLIGHT = 8


class Pool:
    """A few threads for one kind of work that has no time budget of its own: the store, password hashing."""

    def __init__(self, name: str, threads: int, *, niceness: int = 0) -> None:
        """Make the pool; threads start when they are needed.

        Args:
            name: the threads' name.
            threads: how many calls run at once.
            niceness: by how much the threads stand back behind the event loop when processors are scarce.
        """
        self._executor = ThreadPoolExecutor(threads, name, initializer=stand_back, initargs=(niceness,))

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function in one of the threads and wait for it.

        The call runs to its end even if the client goes away, so that a change is never cut in half.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: function(*args, **kwargs))

    def close(self) -> None:
        """Wait for what is under way and end the threads."""
        self._executor.shutdown(wait=True)


def stand_back(niceness: int) -> None:
    """Let this thread stand back by so much behind the others when processors are scarce."""
    if niceness:
        # Linux gives each thread its own niceness, which the threads that argon2 starts inherit; elsewhere the call
        # would slow the whole process or fail, and the pool works without it.
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


class Provider:
    """Calls into one plugin's provider: on the loop if it promises to be instant, else in its own threads.

    Threads cannot be stopped: a provider that hangs keeps the ones it has, and once all are taken, or after five
    failures in a row, it is not asked for 30 s.
    """

    def __init__(
        self, name: str, budget: float, *, instant: bool, patient: bool = True, pool: Pool | None = None
    ) -> None:
        """Take the name, the time budget in seconds, and what the provider is like.

        Args:
            name: what messages call it.
            budget: seconds for one call.
            instant: whether it promises to answer from memory.
            patient: whether a call that takes too long is a failure like others, or enough to leave it out.
            pool: the threads of the server's own database, for one that asks only that. It then waits for its turn, and
                for the database, as everything does that reads there, and needs no connections of its own.
        """
        self.name = name
        self._enough = FAILURES_UNTIL_OPEN if patient else 1
        self.instant = instant
        """Whether calls run on the event loop; they may then as well be made without :meth:`call`."""
        self._budget = budget
        self._pool = pool
        self._executor = None if instant or pool else ThreadPoolExecutor(IN_FLIGHT, f"provider-{name}")
        self._free = threading.BoundedSemaphore(IN_FLIGHT)
        self._failures = 0
        self._closed_again = 0.0

    @property
    def state(self) -> str:
        """``ok``, or ``open`` while it is left out."""
        return "open" if time.monotonic() < self._closed_again else "ok"

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function within the time budget.

        Raises:
            BackendUnavailable: it took too long, or is left out for now.
            Exception: whatever it raised.
        """
        if self.instant:
            return function(*args, **kwargs)
        if self.state == "open":
            raise self._unavailable()
        call = partial(function, *args, **kwargs)
        running = self._pool.run(call) if self._pool is not None else self._within_budget(call)
        try:
            answer = await running
        except TimeoutError:
            self._failed(self._enough)
            raise BackendUnavailable(f"'{self.name}' took longer than {self._budget:g} s", retry_after=5) from None
        except Exception as error:
            # To refuse is an answer: strangers who are refused must not open the circuit for everybody.
            if isinstance(error, Refusal) and not isinstance(error, BackendUnavailable):
                self._failures = 0
            else:
                self._failed()
            raise
        self._failures = 0
        return answer

    def _within_budget(self, call: Callable[[], T]) -> Awaitable[T]:
        """Begin a call in one of the provider's own threads."""
        if self._executor is None or not self._free.acquire(blocking=False):
            raise self._unavailable()
        future = self._executor.submit(call)
        future.add_done_callback(lambda _: self._free.release())
        return asyncio.wait_for(asyncio.wrap_future(future), self._budget)

    def _unavailable(self) -> BackendUnavailable:
        return BackendUnavailable(f"'{self.name}' does not answer", retry_after=int(OPEN_FOR))

    def wait(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function as :meth:`call` does, from a thread that may wait."""
        return function(*args, **kwargs) if self.instant else asyncio.run(self.call(function, *args, **kwargs))

    def _failed(self, enough: int = FAILURES_UNTIL_OPEN) -> None:
        self._failures += 1
        if self._failures >= enough:
            self._failures = 0
            self._closed_again = time.monotonic() + OPEN_FOR
