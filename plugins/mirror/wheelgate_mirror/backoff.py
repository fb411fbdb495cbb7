"""Pauses after failures: a mirror sends no request to a host, or for a page, until its pause is over.

All workers share them: otherwise each of them would wait for a silent host on its own, and the answer to a client would
depend on the worker.
"""

from __future__ import annotations

import logging
import time

from wheelgate.caches import TtlCache
from wheelgate.errors import BackendUnavailable, BadUpstream, Forbidden, Refusal, UpstreamTimeout
from wheelgate.store.database import Database
from wheelgate_mirror import pause_queries

DEFAULT_BACKOFF_SECONDS = 30.0
"""How long a failed host or page is left alone, unless the host names another time."""
MIN_BACKOFF_SECONDS = 1.0
"""The shortest pause, whatever the upstream sends in ``Retry-After``."""
MAX_BACKOFF_SECONDS = 600.0
"""The longest pause, whatever the upstream sends in ``Retry-After``."""
MAX_PAUSES = 10_000
"""Pauses in the table, and in the memory of a worker: clients can make up any number of names of pages."""
REFUSALS: dict[str, type[Refusal]] = {kind.__name__: kind for kind in (BadUpstream, UpstreamTimeout, Forbidden)}
"""What a request gets during a pause, by the name in the table."""

log = logging.getLogger("wheelgate.mirror")


class Backoff:
    """The last failures of hosts and of single pages."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unsaved: TtlCache[str, Refusal] = TtlCache(MAX_PAUSES)
        """Pauses that could not be stored, for example because the disk is full."""

    def add(self, key: str, error: Refusal, seconds: float = DEFAULT_BACKOFF_SECONDS) -> None:
        """Store a failure for some seconds, within the limits above. Call it outside of transactions."""
        now, seconds = time.time(), limited(seconds)
        kind = next(name for name, refusal in REFUSALS.items() if isinstance(error, refusal))
        try:
            with self._database.transaction():
                pause_queries.delete_ended_pauses(self._database, now, now + MAX_BACKOFF_SECONDS)
                saved = pause_queries.save_pause(self._database, key, now + seconds, (kind, error.message), MAX_PAUSES)
        except BackendUnavailable as problem:
            log.warning("a pause of an upstream could not be stored: %s", problem.message)
            saved = False
        if not saved:
            self._unsaved.put(key, error, seconds)

    def clear(self, *keys: str) -> None:
        """Drop the failures of the keys, so that the next request goes to the upstream. Call it in a transaction."""
        for key in keys:
            self._unsaved.pop(key)
        pause_queries.delete_pauses(self._database, keys)

    def failure(self, *keys: str) -> tuple[float, Refusal] | None:
        """Return the longest pause of the keys: the seconds that are left, and the error. None if there is no pause.

        The error has no ``retry_after``: pip would wait that long before each of its five attempts, and show the
        message only then.
        """
        now = time.time()
        entries = [entry for key in keys if (entry := self._unsaved.entry(key)) is not None]
        for until, kind, message in pause_queries.find_pauses(self._database, keys):
            if 0 < until - now <= MAX_BACKOFF_SECONDS:  # a longer one is from a clock that was ahead
                entries.append((until - now, REFUSALS[kind](message)))
        if not entries:
            return None
        seconds, error = max(entries, key=lambda entry: entry[0])
        return seconds, type(error)(error.message)


def limited(seconds: float) -> float:
    """Return the length of a pause within the limits above."""
    return min(max(seconds, MIN_BACKOFF_SECONDS), MAX_BACKOFF_SECONDS)
