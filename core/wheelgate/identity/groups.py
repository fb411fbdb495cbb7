"""The groups of a user, asked live from the group sources and kept for a minute."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Collection, Sequence

from wheelgate.pools import Provider
from wheelgate.providers import GroupSource

KEPT_FOR = 60.0
KEPT = 10_000

log = logging.getLogger("wheelgate.identity")


class Groups:
    """Unites what all group sources say."""

    def __init__(self, sources: Sequence[tuple[GroupSource, Provider]], authenticators: Collection[str]) -> None:
        """Take the sources, and the names of the authenticators that bring users."""
        self._sources = sources
        self._authenticators = authenticators
        self.any = bool(sources)
        """Whether there is a source at all."""
        self._kept: OrderedDict[tuple[str, str], tuple[float, frozenset[str]]] = OrderedDict()

    async def of(self, username: str, brought_by: str) -> frozenset[str]:
        """Return the groups of a user whom an authenticator brought; of a local one if ``brought_by`` is empty.

        A source that fails counts with its last answer until that is a minute old, and then with nothing.
        """
        groups: frozenset[str] = frozenset()
        for source, provider in self._sources:
            # Whoever creates a user with the name of somebody in a directory must not get that one's groups.
            if source.name == brought_by or source.name not in self._authenticators:
                groups |= await self._ask(source, provider, username)
        return groups

    async def _ask(self, source: GroupSource, provider: Provider, username: str) -> frozenset[str]:
        key = (source.name, username)
        now = time.monotonic()
        kept = self._kept.get(key)
        if kept and now < kept[0]:
            return kept[1]
        try:
            answer: object = await provider.call(source.groups, username)
            # A text would be a group for each of its letters.
            if not isinstance(answer, frozenset | set | list | tuple):
                raise TypeError  # noqa: TRY301 - an answer that is none is as bad as a failure
            groups = frozenset(name for name in answer if name and not set(name) & set(":,"))
        except Exception as error:  # noqa: BLE001 - a stranger's code: whatever it raises stays here
            log.warning("group source '%s' failed: %s", source.name, type(error).__name__)
            return frozenset()
        self._kept[key] = (now + KEPT_FOR, groups)
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return groups
