"""Checks that users of an external login service still exist, and asks it at most once a minute for each user."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from wheelgate.caches import TtlCache
from wheelgate.errors import BackendUnavailable, NotAuthenticated
from wheelgate.plugin_host.circuit import RETRY_AFTER_SECONDS, CircuitBreaker
from wheelgate.plugin_host.failures import failure_text
from wheelgate.providers import Authenticator, UserDirectory

DIRECTORY_CACHE_SECONDS = 60.0
"""Seconds for which the answer about a user counts."""
DIRECTORY_CACHE_ENTRIES = 10_000
"""Answers that are cached, one for each user."""

log = logging.getLogger("wheelgate.identity")


@dataclass(frozen=True, slots=True)
class _Answer:
    exists: bool
    asked: float
    """Seconds since 1970."""


class ExternalUsers:
    """Ends the logins and tokens of users who have left their directory."""

    def __init__(self, authenticators: Sequence[tuple[Authenticator, CircuitBreaker]]) -> None:
        """Take the authenticators, each with its circuit breaker."""
        self._authenticators = {each.name: (each, breaker) for each, breaker in authenticators}
        self._answers: TtlCache[tuple[str, str], _Answer] = TtlCache(DIRECTORY_CACHE_ENTRIES)
        """By the names of directory and user."""

    async def require(self, username: str, authenticator: str, since: float) -> None:
        """Refuse an external user who has left the directory.

        Args:
            username: the user's name.
            authenticator: the authenticator that created the user; empty for a local user, who is never refused.
            since: when the user last logged in, in seconds since 1970.

        Raises:
            NotAuthenticated: the user has left, or the authenticator is no longer installed.
            BackendUnavailable: the directory cannot tell now.
        """
        if not authenticator:
            return
        if authenticator not in self._authenticators:
            raise NotAuthenticated(f"the login service '{authenticator}' is no longer installed on this server")
        directory, breaker = self._authenticators[authenticator]
        if not isinstance(directory, UserDirectory):
            return
        answer = self._answers.get((authenticator, username))
        # A user who had left and has logged in since then has come back.
        if answer is None or (not answer.exists and int(answer.asked) <= since):
            answer = await self._ask(directory, breaker, username)
        if not answer.exists:
            raise NotAuthenticated(f"user '{username}' is no longer known to '{authenticator}'")

    async def _ask(self, directory: UserDirectory, breaker: CircuitBreaker, username: str) -> _Answer:
        asked = time.time()
        try:
            exists: object = await breaker.call(directory.exists, username)
            if not isinstance(exists, bool):
                raise TypeError  # noqa: TRY301 - such an answer is as bad as a failure
        except BackendUnavailable as error:
            raise _unavailable(directory, username, error.message, error.retry_after) from None
        except Exception as error:  # noqa: BLE001 - third-party code: any exception means that it cannot tell
            raise _unavailable(directory, username, f"it raised {failure_text(error)}") from None
        answer = _Answer(exists, asked)
        self._answers.put((directory.name, username), answer, DIRECTORY_CACHE_SECONDS)
        return answer


def _unavailable(
    directory: UserDirectory, username: str, reason: str, retry_after: int | None = None
) -> BackendUnavailable:
    log.warning("'%s' cannot tell whether user '%s' still exists: %s", directory.name, username, reason)
    sentence = f"the login service '{directory.name}' cannot be reached; try again later"
    return BackendUnavailable(sentence, retry_after=retry_after or RETRY_AFTER_SECONDS)
