"""Calls plugins with a time budget, and leaves out for a while a plugin that keeps failing."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

from wheelgate.errors import BackendUnavailable, Refusal
from wheelgate.threads.pool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")

FAILURES_UNTIL_OPEN = 5
"""Failed calls in a row until the circuit opens."""
OPEN_SECONDS = 30.0
"""Seconds for which an open circuit refuses every call."""
MAX_CALLS_IN_FLIGHT = 8
"""Calls of one provider that may run at once; each takes a thread."""
RETRY_AFTER_SECONDS = 5
"""Seconds after which a client may try again after a call that took too long."""


class Circuit(Protocol):
    """Calls the code of one plugin."""

    @property
    def instant(self) -> bool:
        """Whether the plugin promises to answer from memory; the caller may then skip :meth:`call`."""

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function; raise ``BackendUnavailable`` as :meth:`CircuitBreaker.call` does."""


class CircuitBreaker:
    """Calls the code of one plugin: on the event loop if it promises to be instant, else in threads of its own.

    Threads cannot be stopped: a plugin that hangs keeps the threads that it has. Once all of them are taken, or after
    five failures in a row, the circuit opens: the plugin is not called for 30 s.
    """

    def __init__(
        self,
        name: str,
        budget_seconds: float,
        *,
        instant: bool,
        timeouts_until_open: int = FAILURES_UNTIL_OPEN,
        pool: ThreadPool | None = None,
        max_waiting: int = 0,
    ) -> None:
        """Make a circuit that is closed.

        Args:
            name: the name of the plugin, or of its provider, for messages.
            budget_seconds: the time for one call.
            instant: whether the plugin promises to answer from memory.
            timeouts_until_open: calls in a row that take too long until the circuit opens.
            pool: the threads of the server's own database, for a provider that asks nothing else. Its calls wait for
                their turn, as all reads of the database do, and have no time budget.
            max_waiting: calls that may wait for a thread; the wait is part of the time budget. 0 refuses a call at once
                if all threads are taken.
        """
        self.name = name
        self.instant = instant
        """Whether calls run on the event loop; the caller may then skip :meth:`call`."""
        self._budget = budget_seconds
        self._timeouts_until_open = timeouts_until_open
        self._pool = pool
        self._executor = None if instant or pool else ThreadPoolExecutor(MAX_CALLS_IN_FLIGHT, f"provider-{name}")
        self._free = threading.BoundedSemaphore(MAX_CALLS_IN_FLIGHT + max_waiting)
        self._failures = 0
        self._open_until = 0.0

    @property
    def state(self) -> str:
        """``ok``, or ``open`` while the plugin is left out."""
        return "open" if time.monotonic() < self._open_until else "ok"

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function within the time budget.

        Raises:
            BackendUnavailable: the call took too long, or the circuit is open.
            Exception: any exception of the function.
        """
        if self.instant:
            return function(*args, **kwargs)
        future = self._submit(partial(function, *args, **kwargs))
        with self._counting_failures():
            waiting = asyncio.wrap_future(future)
            return await (waiting if self._pool is not None else asyncio.wait_for(waiting, self._budget))

    def call_blocking(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function as :meth:`call` does, from a thread that may wait."""
        if self.instant:
            return function(*args, **kwargs)
        future = self._submit(partial(function, *args, **kwargs))
        with self._counting_failures():
            try:
                return future.result(None if self._pool is not None else self._budget)
            except TimeoutError:
                future.cancel()
                raise

    def _submit(self, call: Callable[[], T]) -> Future[T]:
        if self.state == "open":
            raise self._unavailable()
        if self._pool is not None:
            return self._pool.submit(call)
        if self._executor is None or not self._free.acquire(blocking=False):
            raise self._unavailable()
        future = self._executor.submit(copy_context().run, call)  # the log then names the request
        future.add_done_callback(lambda _: self._free.release())
        return future

    @contextlib.contextmanager
    def _counting_failures(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            self._count_failure(self._timeouts_until_open)
            message = f"'{self.name}' took longer than {self._budget:g} s"
            raise BackendUnavailable(message, retry_after=RETRY_AFTER_SECONDS) from None
        except Exception as error:
            # A refusal is an answer: users whom a plugin refuses must not open the circuit for all others.
            if isinstance(error, Refusal) and not isinstance(error, BackendUnavailable):
                self._failures = 0
            else:
                self._count_failure(FAILURES_UNTIL_OPEN)
            raise
        else:
            self._failures = 0

    def _count_failure(self, failures_until_open: int) -> None:
        self._failures += 1
        if self._failures >= failures_until_open:
            self._failures = 0
            self._open_until = time.monotonic() + OPEN_SECONDS

    def _unavailable(self) -> BackendUnavailable:
        return BackendUnavailable(f"'{self.name}' does not answer", retry_after=int(OPEN_SECONDS))


class BlockingCircuit:
    """Calls a plugin as its circuit breaker does, but from a thread that may wait: :meth:`call` never suspends.

    So code that is written for the event loop can also run inside a transaction, by :func:`run_to_end`.
    """

    def __init__(self, breaker: CircuitBreaker) -> None:
        """Take the circuit breaker, whose failures and threads are shared with the event loop."""
        self._breaker = breaker
        self.instant = breaker.instant

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function; raise as :meth:`CircuitBreaker.call_blocking` does."""
        return self._breaker.call_blocking(function, *args, **kwargs)


def run_to_end(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends in the current thread, and return its result.

    Raises:
        RuntimeError: it suspended: something in it waits for an event loop.
    """
    try:
        coroutine.send(None)
    except StopIteration as done:
        answer: T = done.value
        return answer
    coroutine.close()
    raise RuntimeError("a coroutine that must not wait has waited")
