"""What is remembered for a while, and not without bounds: clients can ask for any number of names."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Expiring(Generic[T]):
    """Values that go after their time. When there are too many, new ones are not remembered. For all threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: dict[Hashable, tuple[float, T]] = {}

    def put(self, key: Hashable, value: T, seconds: float) -> None:
        """Remember a value."""
        now = time.monotonic()
        if len(self._entries) >= self._limit:
            self._entries = {key: entry for key, entry in list(self._entries.items()) if entry[0] > now}
        if len(self._entries) < self._limit:
            self._entries[key] = (now + seconds, value)

    def get(self, key: Hashable) -> tuple[float, T] | None:
        """Return for how many seconds a value will be remembered, and the value."""
        until, value = self._entries.get(key, (0.0, None))
        left = until - time.monotonic()
        return (left, value) if value is not None and left > 0 else None

    def pop(self, key: Hashable) -> None:
        """Forget a value."""
        self._entries.pop(key, None)
