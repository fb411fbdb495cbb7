"""Caches with a bound: clients can make up any number of names, and memory must not grow with them.

Any thread may call any method. No lock is needed: each step is a single call of a built-in type, and a race costs at
most a miss. A lock would triple the cost of a hit.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import suppress
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LruCache(Generic[K, V]):
    """Values by key; a full cache drops the least recently used one."""

    def __init__(self, max_entries: int) -> None:
        """Make an empty cache for at most ``max_entries`` values."""
        self._max_entries = max_entries
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return the value of a key; None if there is none."""
        try:
            self._entries.move_to_end(key)
            return self._entries[key]
        except KeyError:
            return None

    def put(self, key: K, value: V) -> None:
        """Store a value; it replaces an earlier one of the same key."""
        self._entries[key] = value
        with suppress(KeyError):  # another thread has dropped it
            self._entries.move_to_end(key)
        with suppress(KeyError):
            while len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)

    def pop(self, key: K) -> None:
        """Drop the value of a key, if there is one."""
        self._entries.pop(key, None)


class TtlCache(Generic[K, V]):
    """Values by key, each with its own time to live; a full cache drops the least recently used one."""

    def __init__(self, max_entries: int) -> None:
        """Make an empty cache for at most ``max_entries`` values."""
        self._entries: LruCache[K, tuple[float, V]] = LruCache(max_entries)

    def get(self, key: K) -> V | None:
        """Return the value of a key; None if there is none or it has expired."""
        entry = self.entry(key)
        return None if entry is None else entry[1]

    def entry(self, key: K) -> tuple[float, V] | None:
        """Return the seconds that a value has left, and the value; None where :meth:`get` returns None."""
        found = self._entries.get(key)
        if found is None:
            return None
        seconds = found[0] - time.monotonic()
        return (seconds, found[1]) if seconds > 0 else None

    def put(self, key: K, value: V, seconds: float) -> None:
        """Store a value that expires after ``seconds``; it replaces an earlier one of the same key."""
        self._entries.put(key, (time.monotonic() + seconds, value))

    def pop(self, key: K) -> None:
        """Drop the value of a key, if there is one."""
        self._entries.pop(key)
