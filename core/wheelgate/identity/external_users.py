"""Whether users from elsewhere are still there: asked live from who brought them, and kept for a minute."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from wheelgate.caches import TtlCache
from wheelgate.errors import BackendUnavailable, NotAuthenticated
from wheelgate.providers import Authenticator, UserDirectory
from wheelgate.threads.pool import Provider

DIRECTORY_CACHE_SECONDS = 60.0
"""Seconds for which a directory is not asked about the same user again."""
DIRECTORY_CACHE_ENTRIES = 10_000
"""Answers that are remembered."""

log = logging.getLogger("wheelgate.identity")


@dataclass(frozen=True, slots=True)
class _Answer:
    there: bool
    asked: float
    """Seconds since the epoch."""


class Presence:
    """Ends what was granted to users who have left the directory that they came from."""

    def __init__(self, authenticators: Sequence[tuple[Authenticator, Provider]]) -> None:
        """Take the authenticators, each with the way to call it."""
        self._brought_by = {each.name: (each, provider) for each, provider in authenticators}
        self._answers: TtlCache[tuple[str, str], _Answer] = TtlCache(DIRECTORY_CACHE_ENTRIES)
        """By the names of directory and user."""

    async def require(self, username: str, brought_by: str, since: float) -> None:
        """Let a user from elsewhere pass who is still there.

        Args:
            username: the user's name.
            brought_by: the authenticator that the user's record names; nobody is asked about a local user.
            since: when the user was last proven to be there, in seconds since the epoch.

        Raises:
            NotAuthenticated: the user has left, or the plugin that brought it.
            BackendUnavailable: nobody can tell now.
        """
        if not brought_by:
            return
        if brought_by not in self._brought_by:
            raise NotAuthenticated(f"the login service '{brought_by}' is no part of this server any more")
        authenticator, provider = self._brought_by[brought_by]
        if not isinstance(authenticator, UserDirectory):
            return
        answer = self._answers.get((brought_by, username))
        # Who was away and has just logged in again is back.
        if answer is None or (not answer.there and int(answer.asked) <= since):
            answer = await self._ask(authenticator, provider, username)
        if not answer.there:
            raise NotAuthenticated(f"user '{username}' is not known to '{brought_by}' any more")

    async def _ask(self, directory: UserDirectory, provider: Provider, username: str) -> _Answer:
        asked = time.time()
        try:
            there: object = await provider.call(directory.exists, username)
            if not isinstance(there, bool):
                raise TypeError  # noqa: TRY301 - an answer that is none is as bad as a failure
        except Exception as error:  # noqa: BLE001 - a stranger's code: whatever it raises stays here
            told = error.message if isinstance(error, BackendUnavailable) else f"it raised {type(error).__name__}"
            log.warning("'%s' does not say whether user '%s' is still there: %s", directory.name, username, told)
            sentence = f"the login service '{directory.name}' cannot be reached; try again later"
            after = getattr(error, "retry_after", None) or 5
            raise BackendUnavailable(sentence, retry_after=after) from None
        answer = _Answer(there, asked)
        self._answers.put((directory.name, username), answer, DIRECTORY_CACHE_SECONDS)
        return answer
