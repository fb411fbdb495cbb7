"""Clients that send requests in loops while something is measured."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench import driver

LOOP_THREADS = 4
MAX_REPETITIONS_PER_LOOP = 10_000


@contextmanager
def looping(begin: Callable[[int], Callable[[int], None]]) -> Iterator[None]:
    """Repeat an action in four threads: ``begin`` gets a thread's number and returns the action, called with 0, 1, 2 ….

    An exception in a thread is raised here.
    """
    stop = threading.Event()
    started = [threading.Event() for _ in range(LOOP_THREADS)]
    failed: list[Exception] = []

    def loop(number: int) -> None:
        try:
            act = begin(number)
            for turn in range(MAX_REPETITIONS_PER_LOOP):
                act(turn)
                started[number].set()
                if stop.is_set():
                    return
        except Exception as error:
            failed.append(error)
            started[number].set()
            raise

    threads = [threading.Thread(target=loop, args=(number,), daemon=True) for number in range(LOOP_THREADS)]
    for thread in threads:
        thread.start()
    try:
        for event in started:
            if not event.wait(driver.TIMEOUT_SECONDS):
                raise TimeoutError("a loop got no answer in time")
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for error in failed:
        raise error
