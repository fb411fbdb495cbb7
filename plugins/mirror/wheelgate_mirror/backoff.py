"""Pauses after failures: a mirror sends no request to a host, or for a page, until its pause is over."""

from __future__ import annotations

from collections.abc import Hashable

from wheelgate.caches import TtlCache
from wheelgate.errors import Refusal

DEFAULT_BACKOFF_SECONDS = 30.0
"""How long a failed host or page is left alone, unless the host names another time."""
MIN_BACKOFF_SECONDS = 1.0
"""The shortest pause, whatever the upstream sends in ``Retry-After``."""
MAX_BACKOFF_SECONDS = 600.0
"""The longest pause, whatever the upstream sends in ``Retry-After``."""
FAILURE_CACHE_ENTRIES = 10_000
"""Failures in memory."""


class Backoff:
    """The last failures of hosts and of single pages."""

    def __init__(self) -> None:
        self._failures: TtlCache[Hashable, Refusal] = TtlCache(FAILURE_CACHE_ENTRIES)

    def add(self, key: Hashable, error: Refusal, seconds: float = DEFAULT_BACKOFF_SECONDS) -> None:
        """Store a failure for some seconds, within the limits above."""
        self._failures.put(key, error, min(max(seconds, MIN_BACKOFF_SECONDS), MAX_BACKOFF_SECONDS))

    def clear(self, *keys: Hashable) -> None:
        """Drop the failures of the keys, so that the next request goes to the upstream."""
        for key in keys:
            self._failures.pop(key)

    def failure(self, *keys: Hashable) -> tuple[float, Refusal] | None:
        """Return the longest pause of the keys: the seconds that are left, and the error. None if there is no pause.

        The error has no ``retry_after``: pip would wait that long before each of its five attempts, and show the
        message only then.
        """
        entries = [entry for key in keys if (entry := self._failures.entry(key)) is not None]
        if not entries:
            return None
        seconds, error = max(entries, key=lambda entry: entry[0])
        return seconds, type(error)(error.message)
