"""Collects the groups of a user from the group sources."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from wheelgate.caches import TtlCache
from wheelgate.plugin_host.circuit import CircuitBreaker
from wheelgate.plugin_host.failures import failure_text
from wheelgate.providers import GroupSource
from wheelgate.store.serial_cache import SerialCache

GROUPS_CACHE_SECONDS = 60.0
"""Seconds for which the answer of a source counts that is not live."""
GROUPS_CACHE_ENTRIES = 10_000
"""Answers that are cached, one for each source and user."""
SEPARATORS = frozenset(":,")
"""Characters that have a meaning in access lists."""

log = logging.getLogger("wheelgate.identity")


class GroupLookup:
    """Asks all group sources, and caches their answers for a minute or until the stores change."""

    def __init__(self, sources: Sequence[tuple[GroupSource, CircuitBreaker]], authenticators: Collection[str]) -> None:
        """Take the sources with their circuit breakers, and the names of the authenticators that are not local."""
        self._sources = sources
        self._authenticators = authenticators
        self._stored: SerialCache[tuple[str, str], frozenset[str]] = SerialCache(GROUPS_CACHE_ENTRIES)
        """Answers of live sources, by the names of source and user."""
        self._expiring: TtlCache[tuple[str, str], frozenset[str]] = TtlCache(GROUPS_CACHE_ENTRIES)
        """Answers of all other sources, by the same names."""

    async def of(self, username: str, authenticator: str, serial: int) -> tuple[frozenset[str], bool]:
        """Return the groups of a user, and whether they are valid until the stores change.

        If a source fails, its last answer counts until it is a minute old; after that, the source adds no group.

        Args:
            username: the user.
            authenticator: the name of the authenticator that created the user; empty for a local user.
            serial: the change serial that was read before the user was; answers of live sources are valid for it.
        """
        groups: frozenset[str] = frozenset()
        until_change = True
        for source, breaker in self._sources_for(authenticator):
            if source.live:
                found = await self._ask_live(source, breaker, username, serial)
                until_change = until_change and found is not None
            else:
                found = await self._ask_expiring(source, breaker, username)
                until_change = False
            groups |= found or frozenset()
        return groups, until_change

    async def lasting(self, username: str, authenticator: str) -> frozenset[str]:
        """Return the groups that a user has from sources outside of the server's own database; see :meth:`of`."""
        groups: frozenset[str] = frozenset()
        for source, breaker in self._sources_for(authenticator):
            if not source.live:
                groups |= await self._ask_expiring(source, breaker, username) or frozenset()
        return groups

    def live(self, username: str, authenticator: str) -> frozenset[str]:
        """Return the groups that a user has from sources in the server's own database, as they are now.

        Call it inside a transaction: it asks the sources in the current thread, and neither reads nor fills the cache.
        """
        groups: frozenset[str] = frozenset()
        for source, _ in self._sources_for(authenticator):
            if source.live:
                try:
                    groups |= group_names(source.groups(username)).names
                except Exception as error:  # noqa: BLE001 - third-party code; the other sources still count
                    log.warning("group source '%s' failed: %s", source.name, failure_text(error))
        return groups

    def _sources_for(self, authenticator: str) -> Iterator[tuple[GroupSource, CircuitBreaker]]:
        """Yield the sources to ask about a user of an authenticator."""
        for source, breaker in self._sources:
            # A local user whose name also occurs in a directory must not get the groups of the person there.
            if source.name == authenticator or source.name not in self._authenticators:
                yield source, breaker

    async def _ask_live(
        self, source: GroupSource, breaker: CircuitBreaker, username: str, serial: int
    ) -> frozenset[str] | None:
        key = (source.name, username)
        found = self._stored.get(serial, key)
        if found is None:
            found = await self._ask(source, breaker, username)
            if found is not None:
                self._stored.put(serial, key, found)
        return found

    async def _ask_expiring(self, source: GroupSource, breaker: CircuitBreaker, username: str) -> frozenset[str] | None:
        key = (source.name, username)
        groups = self._expiring.get(key)
        if groups is None:
            groups = await self._ask(source, breaker, username)
            if groups is not None:
                self._expiring.put(key, groups, GROUPS_CACHE_SECONDS)
        return groups

    async def _ask(self, source: GroupSource, breaker: CircuitBreaker, username: str) -> frozenset[str] | None:
        """Ask a source, without the cache; return None if it fails."""
        try:
            found = group_names(await breaker.call(source.groups, username))
        except Exception as error:  # noqa: BLE001 - third-party code; the other sources still count
            log.warning("group source '%s' failed: %s", source.name, failure_text(error))
            return None
        if found.left_out:
            names = ", ".join(f"{name!a}" for name in sorted(found.left_out))
            log.warning(
                "group source '%s': user '%s' gets no rights from groups with ':' or ',' in their names: %s",
                source.name,
                username,
                names,
            )
        return found.names


@dataclass(frozen=True, slots=True)
class GroupNames:
    """The groups in the answer of a source."""

    names: frozenset[str]
    left_out: frozenset[str]
    """Names that an access list could not tell apart, because they contain ``:`` or ``,``."""


def group_names(answer: object) -> GroupNames:
    """Return the groups in the answer of a source.

    Raises:
        TypeError: the answer is not a collection of names.
    """
    # A string is a collection of its letters, and must not count as one of names.
    if not isinstance(answer, frozenset | set | list | tuple):
        raise TypeError
    left_out = frozenset(name for name in answer if set(name) & SEPARATORS)
    return GroupNames(frozenset(name for name in answer if name) - left_out, left_out)
