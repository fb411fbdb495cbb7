"""Others who go on asking while something is measured."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench import driver

LOOPS = 4
MOST = 10_000
"""Repetitions of a loop, at most."""


@contextmanager
def looping(begin: Callable[[int], Callable[[int], None]]) -> Iterator[None]:
    """Do something again and again in four threads; each makes with its number what it then calls with 0, 1, 2 ….

    What fails there fails here.
    """
    stop = threading.Event()
    started = [threading.Event() for _ in range(LOOPS)]
    failed: list[Exception] = []

    def loop(number: int) -> None:
        try:
            act = begin(number)
            for turn in range(MOST):
                act(turn)
                started[number].set()
                if stop.is_set():
                    return
        except Exception as error:
            failed.append(error)
            started[number].set()
            raise

    threads = [threading.Thread(target=loop, args=(number,), daemon=True) for number in range(LOOPS)]
    for thread in threads:
        thread.start()
    try:
        for event in started:
            if not event.wait(driver.TIMEOUT):
                raise TimeoutError("nothing came back in time")
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for error in failed:
        raise error
