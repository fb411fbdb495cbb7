"""The groups of a user, asked live from the group sources and kept for a minute, or until something changes."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from wheelgate.caches import TtlCache
from wheelgate.providers import GroupSource
from wheelgate.store.serial_cache import SerialCache
from wheelgate.threads.pool import Provider

GROUPS_CACHE_SECONDS = 60.0
"""Seconds for which the answer of a source outside of the stores is used again."""
GROUPS_CACHE_ENTRIES = 10_000
"""Answers that are remembered, one for each source and user."""

log = logging.getLogger("wheelgate.identity")


class Groups:
    """Unites what all group sources say."""

    def __init__(self, sources: Sequence[tuple[GroupSource, Provider]], authenticators: Collection[str]) -> None:
        """Take the sources, and the names of the authenticators that bring users."""
        self._sources = sources
        self._authenticators = authenticators
        self._stored: SerialCache[tuple[str, str], frozenset[str]] = SerialCache(GROUPS_CACHE_ENTRIES)
        """Groups from sources in the database; by the names of source and user, as the other one."""
        self._foreign: TtlCache[tuple[str, str], frozenset[str]] = TtlCache(GROUPS_CACHE_ENTRIES)

    async def of(self, username: str, brought_by: str, serial: int) -> tuple[frozenset[str], bool]:
        """Return the groups of a user, and whether they hold as long as the state of the stores.

        A source that fails counts with its last answer until that is a minute old, and then with nothing.

        Args:
            username: the user.
            brought_by: the name of the authenticator that brought the user; empty for a local one.
            serial: the change serial that was read before the user was; answers of live sources hold for it.
        """
        groups: frozenset[str] = frozenset()
        lasting = True
        for source, provider in self._sources:
            # Whoever creates a user with the name of somebody in a directory must not get that one's groups.
            if source.name == brought_by or source.name not in self._authenticators:
                if getattr(source, "live", False):
                    found = await self._live(source, provider, username, serial)
                    lasting = lasting and found is not None
                else:
                    found = await self._for_a_minute(source, provider, username)
                    lasting = False
                groups |= found or frozenset()
        return groups, lasting

    async def _live(self, source: GroupSource, provider: Provider, username: str, serial: int) -> frozenset[str] | None:
        key = (source.name, username)
        found = self._stored.get(serial, key)
        if found is None:
            found = await self._ask(source, provider, username)
            if found is not None:
                self._stored.put(serial, key, found)
        return found

    async def _for_a_minute(self, source: GroupSource, provider: Provider, username: str) -> frozenset[str] | None:
        key = (source.name, username)
        groups = self._foreign.get(key)
        if groups is None:
            groups = await self._ask(source, provider, username)
            if groups is not None:
                self._foreign.put(key, groups, GROUPS_CACHE_SECONDS)
        return groups

    async def _ask(self, source: GroupSource, provider: Provider, username: str) -> frozenset[str] | None:
        """Ask a source; return None if it fails."""
        try:
            return group_names(await provider.call(source.groups, username))
        except Exception as error:  # noqa: BLE001 - a stranger's code: whatever it raises stays here
            log.warning("group source '%s' failed: %s", source.name, type(error).__name__)
            return None


def group_names(answer: object) -> frozenset[str]:
    """Return the groups that a source has named, without those that could be taken for something else.

    Raises:
        TypeError: it has answered something else than names.
    """
    # A text would be a group for each of its letters.
    if not isinstance(answer, frozenset | set | list | tuple):
        raise TypeError
    return frozenset(name for name in answer if name and not set(name) & set(":,"))
