"""Locks by key, so that of many threads that need the same answer only one asks for it."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class KeyLocks:
    """One lock per key. A lock exists only while a thread holds it or waits for it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[Hashable, tuple[threading.Lock, set[int]]] = {}

    @contextmanager
    def hold(self, key: Hashable) -> Iterator[None]:
        """Hold the lock of a key."""
        thread = threading.get_ident()
        with self._guard:
            lock, users = self._locks.setdefault(key, (threading.Lock(), set()))
            users.add(thread)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                users.discard(thread)
                if not users:
                    del self._locks[key]
