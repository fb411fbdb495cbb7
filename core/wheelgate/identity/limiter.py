"""Slows down wrong passwords, per user and address and per address, so that nobody locks out somebody elsewhere."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from wheelgate.errors import TooManyAttempts

FREE_PER_USER = 5
FREE_PER_ADDRESS = 50
MAX_WAIT_SECONDS = 60.0
FORGET_AFTER_SECONDS = 600.0
"""Seconds without a wrong password after which the earlier ones no longer count."""
MAX_COUNTERS = 20_000
"""Counters in memory; the one whose last failure is longest ago makes room, however often it was looked at since."""


@dataclass(slots=True)
class _Record:
    failures: int = 0
    last: float = 0.0


class Limiter:
    """Counts wrong passwords in this worker's memory.

    After the free ones each further failure doubles the wait, from one second up to a minute. Ten quiet minutes, or
    the right password, make it forgotten.
    """

    def __init__(self) -> None:
        self._records: OrderedDict[tuple[str, ...], _Record] = OrderedDict()

    def check(self, username: str, address: str) -> None:
        """Raise ``TooManyAttempts`` if this user from this address, or this address, has to wait."""
        now = time.monotonic()
        wait = max(
            self._wait((username, address), FREE_PER_USER, now),
            self._wait((address,), FREE_PER_ADDRESS, now),
        )
        if wait > 0:
            seconds = int(wait) + 1
            raise TooManyAttempts(f"too many wrong passwords; try again in {seconds} seconds", retry_after=seconds)

    def failed(self, username: str, address: str) -> None:
        """Note a wrong password."""
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
        """Forget the failures of this user from this address; those of the address as such stay."""
        self._records.pop((username, address), None)

    def _wait(self, key: tuple[str, ...], free: int, now: float) -> float:
        record = self._records.get(key)
        if record is None or record.failures < free or now - record.last > FORGET_AFTER_SECONDS:
            return 0.0
        return min(MAX_WAIT_SECONDS, 2.0 ** min(record.failures - free, 10)) - (now - record.last)
