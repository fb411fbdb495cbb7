"""Caches users by name until the stores change."""

from __future__ import annotations

from functools import partial

from wheelgate.store.access import StoreAccess
from wheelgate.store.protocols import UserStore
from wheelgate.store.serial_cache import SerialCache
from wheelgate.values import User

USER_CACHE_ENTRIES = 10_000
"""Names in the cache, including names that no user has."""


class CachedUsers:
    """Reads each user from the store once per change serial."""

    def __init__(self, store: UserStore, access: StoreAccess) -> None:
        self._store = store
        self._access = access
        self._users: SerialCache[str, User | None] = SerialCache(USER_CACHE_ENTRIES)

    def get(self, name: str) -> User | None:
        """Return the user of that name, or None. Do not call it inside a transaction."""
        serial = self._access.read_serial()
        return self._users.get(serial, name) or self._users.get_or_make(serial, name, partial(self._store.get, name))
