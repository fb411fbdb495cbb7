"""Slows down wrong passwords: per address, and per user at an address, so that no one can lock out users elsewhere."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from wheelgate.caches import LruCache
from wheelgate.errors import TooManyAttempts
from wheelgate.names import fold

FREE_FAILURES_PER_USER = 5
"""Wrong passwords for a user from an address before the first wait."""
FREE_FAILURES_PER_ADDRESS = 50
"""Wrong passwords from an address, for any users, before the first wait."""
MAX_WAIT_SECONDS = 60.0
FORGET_AFTER_SECONDS = 600.0
"""Seconds after the last wrong password for which the earlier ones count."""
MAX_COUNTERS = 20_000
"""Counters in memory; a full table drops the one whose last failure is longest ago, however often it was read since."""
MAX_QUEUED_ATTEMPTS = 100
"""Attempts of one user at an address, or of one address, that wait for others to be verified; more get 429."""
KNOWN_ENTRIES = 20_000
"""Users at an address whose last right password is remembered."""
IPV6_PREFIX_BITS = 64
"""A host chooses the other bits of its IPv6 address by itself (RFC 4291, section 2.5.4), so they count as one."""
RANK_KNOWN, RANK_NEW, RANK_FAILED = range(3)
"""The order in which attempts are verified: users who have logged in from this address before, addresses without a
wrong password, and all others."""

Key = tuple[str, ...]


@dataclass(slots=True)
class _Record:
    failures: int = 0
    last: float = 0.0


@dataclass(slots=True)
class _Queue:
    """The attempts under one key that are being verified, and those that wait for their result."""

    running: int = 0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)


class Limiter:
    """Counts wrong passwords in the memory of this worker.

    After the free failures, each further one doubles the wait, from one second to a minute. The right password, or ten
    minutes without a wrong one, resets the count.

    An attempt that is being verified counts as a failure until its result is known: of a hundred guesses that are sent
    at once, no more are verified than of a hundred that are sent one by one. Those that might be too many wait for the
    results, so that many logins at once with right passwords all succeed.
    """

    def __init__(self) -> None:
        self._records: OrderedDict[Key, _Record] = OrderedDict()
        self._queues: dict[Key, _Queue] = {}
        self._known: LruCache[Key, bool] = LruCache(KNOWN_ENTRIES)
        """Users at an address from which they have sent the right password."""

    async def reserve(self, username: str, address: str) -> Attempt:
        """Wait until an attempt may be verified, and count it as a failure while it is running.

        Raises:
            TooManyAttempts: this address has to wait, in general or for this user.
        """
        # A directory takes any spelling of a name: each must not have guesses of its own.
        keys = (fold(username), network_of(address)), (network_of(address),)
        while (full := self._full_queue(keys)) is not None:
            if len(full.waiting) >= MAX_QUEUED_ATTEMPTS:
                raise TooManyAttempts("too many logins at once; try again in 1 second", retry_after=1)
            ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            full.waiting.append(ended)
            await ended
        for key in keys:
            self._queues.setdefault(key, _Queue()).running += 1
        return Attempt(self, keys)

    def _full_queue(self, keys: Sequence[Key]) -> _Queue | None:
        """Return a queue in which an attempt has to wait; None if it may be verified now."""
        now = time.monotonic()
        limits = tuple(zip(keys, (FREE_FAILURES_PER_USER, FREE_FAILURES_PER_ADDRESS), strict=True))
        wait = max(self._wait(key, free, now) for key, free in limits)
        if wait > 0:
            seconds = int(wait) + 1
            raise TooManyAttempts(f"too many wrong passwords; try again in {seconds} seconds", retry_after=seconds)
        for key, free in limits:
            queue = self._queues.get(key)
            # After the free failures, one attempt at a time.
            if queue is not None and queue.running >= max(1, free - self._failures(key, now)):
                return queue
        return None

    def _failures(self, key: Key, now: float) -> int:
        """Return how many wrong passwords count at present."""
        record = self._records.get(key)
        return 0 if record is None or now - record.last > FORGET_AFTER_SECONDS else record.failures

    def _wait(self, key: Key, free: int, now: float) -> float:
        """Return the seconds until the next attempt."""
        failures = self._failures(key, now)
        if failures < free:
            return 0.0
        return min(MAX_WAIT_SECONDS, 2.0 ** min(failures - free, 10)) - (now - self._records[key].last)

    def rank(self, keys: Sequence[Key]) -> int:
        """Return the rank of an attempt among those that wait for a thread: guesses must not delay others."""
        if self._known.get(keys[0]):
            return RANK_KNOWN
        now = time.monotonic()
        return RANK_FAILED if any(self._failures(key, now) for key in keys) else RANK_NEW

    def fail(self, keys: Sequence[Key]) -> None:
        """Count a wrong password."""
        now = time.monotonic()
        for key in keys:
            record = _Record(self._failures(key, now) + 1, now)
            self._records.pop(key, None)
            self._records[key] = record
        while len(self._records) > MAX_COUNTERS:
            self._records.popitem(last=False)

    def succeed(self, keys: Sequence[Key]) -> None:
        """Reset the count of this user at this address, but not that of the address as a whole."""
        self._records.pop(keys[0], None)
        self._known.put(keys[0], True)

    def release(self, keys: Sequence[Key]) -> None:
        """Let the attempts go on that wait for the result of this one."""
        for key in keys:
            queue = self._queues[key]
            queue.running -= 1
            for ended in queue.waiting:
                if not ended.done():  # its client has gone
                    ended.set_result(None)
            queue.waiting.clear()
            if not queue.running:
                del self._queues[key]


class Attempt:
    """An attempt to log in whose result is not known yet."""

    def __init__(self, limiter: Limiter, keys: Sequence[Key]) -> None:
        self._limiter = limiter
        self._keys = keys

    def rank(self) -> int:
        """Return the rank of this attempt among those that wait for a thread; lower ones come first."""
        return self._limiter.rank(self._keys)

    def failed(self) -> None:
        """Count a wrong password.

        A login service that cannot be asked, or a client that goes away before it learns the result, is no failure.
        """
        self._limiter.fail(self._keys)

    @contextmanager
    def running(self) -> Iterator[None]:
        """End the attempt with the ``with`` block: the password was right unless it raises."""
        try:
            yield
            self._limiter.succeed(self._keys)
        finally:
            self._limiter.release(self._keys)


def known_rank() -> int:
    """Return the rank of credentials without a secret, which nobody can guess."""
    return RANK_KNOWN


def network_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, IPV6_PREFIX_BITS), strict=False))
