"""Locks by key, so that of several threads with the same task one does it and the others wait."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class KeyLocks:
    """A lock for each key. It exists only while a thread holds it or waits for it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[Hashable, tuple[threading.Lock, set[int]]] = {}

    @contextmanager
    def of(self, key: Hashable) -> Iterator[None]:
        """Hold the lock of a key during the ``with`` block."""
        me = threading.get_ident()
        with self._guard:
            lock, wanted_by = self._locks.setdefault(key, (threading.Lock(), set()))
            wanted_by.add(me)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                wanted_by.discard(me)
                if not wanted_by:
                    del self._locks[key]
