"""The groups of a user, asked live from the group sources and kept for a minute, or until something changes."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any

from wheelgate.providers import GroupSource
from wheelgate.threads.pool import Provider

KEPT_FOR = 60.0
KEPT = 10_000

log = logging.getLogger("wheelgate.identity")


class Groups:
    """Unites what all group sources say."""

    def __init__(self, sources: Sequence[tuple[GroupSource, Provider]], authenticators: Collection[str]) -> None:
        """Take the sources, and the names of the authenticators that bring users."""
        self._sources = sources
        self._authenticators = authenticators
        self._kept: OrderedDict[tuple[str, str], tuple[float, frozenset[str]]] = OrderedDict()

    async def of(self, username: str, brought_by: str, kept: dict[Any, Any]) -> tuple[frozenset[str], bool]:
        """Return the groups of a user, and whether they hold as long as the state of the stores.

        A source that fails counts with its last answer until that is a minute old, and then with nothing.

        Args:
            username: the user.
            brought_by: the name of the authenticator that brought the user; empty for a local one.
            kept: what was read from the stores in their present state; answers of live sources are put there.
        """
        groups: frozenset[str] = frozenset()
        lasting = True
        for source, provider in self._sources:
            # Whoever creates a user with the name of somebody in a directory must not get that one's groups.
            if source.name == brought_by or source.name not in self._authenticators:
                if getattr(source, "live", False):
                    found = await self._live(source, provider, username, kept)
                    lasting = lasting and found is not None
                else:
                    found = await self._for_a_minute(source, provider, username)
                    lasting = False
                groups |= found or frozenset()
        return groups, lasting

    async def _live(
        self, source: GroupSource, provider: Provider, username: str, kept: dict[Any, Any]
    ) -> frozenset[str] | None:
        key = ("groups", source.name, username)
        found: frozenset[str] | None = kept.get(key)
        if found is None:
            found = await self._ask(source, provider, username)
            if found is not None:
                kept[key] = found
        return found

    async def _for_a_minute(self, source: GroupSource, provider: Provider, username: str) -> frozenset[str] | None:
        key = (source.name, username)
        now = time.monotonic()
        kept = self._kept.get(key)
        if kept and now < kept[0]:
            return kept[1]
        groups = await self._ask(source, provider, username)
        if groups is not None:
            self._kept[key] = (now + KEPT_FOR, groups)
            self._kept.move_to_end(key)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
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
