"""Failures of upstreams, which are repeated for a while instead of asking the upstream again."""

from __future__ import annotations

from collections.abc import Hashable

from wheelgate.caches import TtlCache
from wheelgate.errors import Refusal

BACKOFF_SECONDS = 30.0
"""Seconds after a failure in which the upstream is not asked again."""
MAX_BACKOFF_SECONDS = 600.0
"""The same at most, whatever the upstream demands with ``Retry-After``."""
FAILURE_CACHE_ENTRIES = 10_000
"""Failures in memory."""


class Backoff:
    """The failures of hosts and of single pages."""

    def __init__(self) -> None:
        self._failures: TtlCache[Hashable, Refusal] = TtlCache(FAILURE_CACHE_ENTRIES)

    def note(self, key: Hashable, problem: Refusal, seconds: float = BACKOFF_SECONDS) -> None:
        """Remember a failure."""
        self._failures.put(key, problem, min(max(seconds, 1.0), MAX_BACKOFF_SECONDS))

    def forget(self, *keys: Hashable) -> None:
        """Forget failures, so that the next request asks the upstream again."""
        for key in keys:
            self._failures.pop(key)

    def problem(self, *keys: Hashable) -> tuple[float, Refusal] | None:
        """Return the failure of any of the keys that lasts longest, and the seconds that it has left.

        The failure has no ``retry_after``: pip would wait for it in each of five attempts before it shows the error.
        """
        found = [entry for key in keys if (entry := self._failures.entry(key)) is not None]
        if not found:
            return None
        left, problem = max(found, key=lambda entry: entry[0])
        return left, type(problem)(problem.message)
