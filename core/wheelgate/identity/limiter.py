"""Slows down wrong passwords: per address, and per user at an address, so that no one can lock out users elsewhere."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from wheelgate.errors import TooManyAttempts

FREE_FAILURES_PER_USER = 5
"""Wrong passwords for a user from an address before the first wait."""
FREE_FAILURES_PER_ADDRESS = 50
"""Wrong passwords from an address, for any users, before the first wait."""
MAX_WAIT_SECONDS = 60.0
FORGET_AFTER_SECONDS = 600.0
"""Seconds after the last wrong password for which the earlier ones count."""
MAX_COUNTERS = 20_000
"""Counters in memory; a full table drops the one whose last failure is longest ago, however often it was read since."""


@dataclass(slots=True)
class _Record:
    failures: int = 0
    last: float = 0.0


class Limiter:
    """Counts wrong passwords in the memory of this worker.

    After the free failures, each further one doubles the wait, from one second to a minute. The right password, or ten
    minutes without a wrong one, resets the count.
    """

    def __init__(self) -> None:
        self._records: OrderedDict[tuple[str, ...], _Record] = OrderedDict()

    def check(self, username: str, address: str) -> None:
        """Raise ``TooManyAttempts`` if this address has to wait, in general or for this user."""
        now = time.monotonic()
        wait = max(
            self._wait((username, address), FREE_FAILURES_PER_USER, now),
            self._wait((address,), FREE_FAILURES_PER_ADDRESS, now),
        )
        if wait > 0:
            seconds = int(wait) + 1
            raise TooManyAttempts(f"too many wrong passwords; try again in {seconds} seconds", retry_after=seconds)

    def failed(self, username: str, address: str) -> None:
        """Count a wrong password."""
        now = time.monotonic()
        for key in ((username, address), (address,)):
            record = self._records.pop(key, None) or _Record()
            if now - record.last > FORGET_AFTER_SECONDS:
                record.failures = 0
            record.failures += 1
            record.last = now
            self._records[key] = record
        while len(self._records) > MAX_COUNTERS:
            self._records.popitem(last=False)

    def succeeded(self, username: str, address: str) -> None:
        """Reset the count of this user at this address, but not that of the address as a whole."""
        self._records.pop((username, address), None)

    def _wait(self, key: tuple[str, ...], free: int, now: float) -> float:
        record = self._records.get(key)
        if record is None or record.failures < free or now - record.last > FORGET_AFTER_SECONDS:
            return 0.0
        return min(MAX_WAIT_SECONDS, 2.0 ** min(record.failures - free, 10)) - (now - record.last)
