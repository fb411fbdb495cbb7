"""Bounded pools of threads: the event loop hands blocking work to them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class ThreadPool:
    """A few threads for one kind of work without a time budget, such as the store or password hashing."""

    def __init__(self, name: str, threads: int, *, niceness: int = 0) -> None:
        """Make the pool; its threads start when they are needed.

        Args:
            name: the name of the threads.
            threads: how many calls run at once.
            niceness: added to the nice value of the threads; the event loop then comes first on a busy machine.
        """
        self._executor = ThreadPoolExecutor(threads, name, initializer=lower_priority, initargs=(niceness,))

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function in one of the threads and wait for it.

        The call runs to its end even if the client goes away, so that no change is cut in half.
        """
        loop = asyncio.get_running_loop()
        # In the context of the caller, so that a line of the log names the request that it is about.
        call = partial(copy_context().run, function, *args, **kwargs)
        return await loop.run_in_executor(self._executor, call)

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call the function in one of the threads and return its future at once."""
        return self._executor.submit(partial(copy_context().run, function, *args, **kwargs))

    def close(self) -> None:
        """Wait for running calls and end the threads."""
        self._executor.shutdown(wait=True)


def lower_priority(niceness: int) -> None:
    """Make the current thread yield to others when processors are scarce."""
    if niceness:
        # Linux gives each thread its own niceness, and the threads that argon2 starts inherit it. On other systems the
        # call would slow down the whole process or fail, and the pool works without it.
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
