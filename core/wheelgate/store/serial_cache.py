"""Caches values from the stores until the next change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from wheelgate.caches import K, LruCache, V


class SerialCache(Generic[K, V]):
    """Values of one kind by key, each valid for one change serial.

    Read the serial first (:meth:`StoreAccess.read_serial`) and the stores second. A value is then never older than its
    serial, and a slow reader can only store a value for a serial that has passed. Such values stay in memory until
    newer ones replace them. Any thread may call any method.
    """

    def __init__(self, max_entries: int) -> None:
        """Make an empty cache for at most ``max_entries`` values; a full one drops the least recently used."""
        self._entries: LruCache[K, tuple[int, V]] = LruCache(max_entries)

    def get(self, serial: int, key: K) -> V | None:
        """Return the value of a key at this serial; None if there is none."""
        entry = self._entries.get(key)
        return entry[1] if entry is not None and entry[0] == serial else None

    def get_or_make(self, serial: int, key: K, make: Callable[[], V]) -> V:
        """Return the value of a key at this serial; call ``make`` if there is none. A value may be None."""
        entry = self._entries.get(key)
        if entry is not None and entry[0] == serial:
            return entry[1]
        value = make()
        self.put(serial, key, value)
        return value

    def put(self, serial: int, key: K, value: V) -> None:
        """Store a value, unless the key has one for a later serial."""
        entry = self._entries.get(key)
        if entry is None or entry[0] <= serial:
            self._entries.put(key, (serial, value))
