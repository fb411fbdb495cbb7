"""Leaving those alone for a while who did not answer: what they said last is said again in their place."""

from __future__ import annotations

from collections.abc import Hashable

from wheelgate.caches import TtlCache
from wheelgate.errors import Refusal

PAUSE = 30.0
"""Seconds for which nobody is asked again who has failed."""
LONGEST_PAUSE = 600.0
"""Seconds that an upstream gets at most, whatever it asks for by ``Retry-After``."""
FAILURE_CACHE_ENTRIES = 10_000
"""Failures that are remembered at once."""


class Backoff:
    """Failures, of hosts and of single pages."""

    def __init__(self) -> None:
        self._failures: TtlCache[Hashable, Refusal] = TtlCache(FAILURE_CACHE_ENTRIES)

    def note(self, key: Hashable, problem: Refusal, seconds: float = PAUSE) -> None:
        """Remember a failure."""
        self._failures.put(key, problem, min(max(seconds, 1.0), LONGEST_PAUSE))

    def forget(self, *keys: Hashable) -> None:
        """Ask again at the next opportunity."""
        for key in keys:
            self._failures.pop(key)

    def problem(self, *keys: Hashable) -> tuple[float, Refusal] | None:
        """Return the failure that holds longest for any of the keys, and for how many seconds it does.

        It has no ``retry_after``: pip would wait for that in each of its five attempts before it says what is wrong.
        """
        found = [entry for key in keys if (entry := self._failures.entry(key)) is not None]
        if not found:
            return None
        left, problem = max(found, key=lambda entry: entry[0])
        return left, type(problem)(problem.message)
