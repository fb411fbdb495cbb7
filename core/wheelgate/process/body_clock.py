"""A deadline for the body of a request that moves with every byte that arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

MIN_BODY_BYTES_PER_SECOND = 500
"""The rate at which a body must arrive once its time is over; Apache's ``RequestReadTimeout`` has the same default."""


class BodyClock:
    """Calls a function if a body arrives too slowly.

    A client has some seconds for any body, and one more for every ``MIN_BODY_BYTES_PER_SECOND`` bytes that it has sent.
    So a short body has a deadline, and a long upload a minimum rate. Time during which the server itself does not read
    does not count.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, too_slow: Callable[[], None]) -> None:
        """Start the clock.

        Args:
            loop: the event loop of the connection.
            seconds: the time for a body without any byte.
            too_slow: called once if the time is over.
        """
        self.received_bytes = 0
        self._loop = loop
        self._seconds = seconds
        self._too_slow = too_slow
        self._started = loop.time()
        self._paused: float | None = None
        """When the server stopped reading; None while it reads."""
        self._timer = loop.call_later(seconds, self._check)

    def pause(self) -> None:
        """Note that the server has stopped reading."""
        if self._paused is None:
            self._paused = self._loop.time()

    def resume(self) -> None:
        """Note that the server reads again."""
        if self._paused is not None:
            self._started += self._loop.time() - self._paused
            self._paused = None

    def stop(self) -> None:
        """Stop the clock, because the body is there or the connection is not."""
        self._timer.cancel()

    def _check(self) -> None:
        now = self._paused if self._paused is not None else self._loop.time()
        left = self._started + self._seconds + self.received_bytes / MIN_BODY_BYTES_PER_SECOND - now
        if left <= 0 and self._paused is None:
            self._too_slow()
        else:
            self._timer = self._loop.call_later(max(left, 1.0), self._check)
