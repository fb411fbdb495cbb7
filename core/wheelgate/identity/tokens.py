"""API tokens: recognised by their prefix, judged by the handler that has it, good for what they say and no more."""

from __future__ import annotations

import hmac
import logging
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from wheelgate.caches import TtlCache
from wheelgate.errors import BackendUnavailable, InvalidToken, StartupError
from wheelgate.identity.sessions import PREFIX
from wheelgate.providers import TokenHandler
from wheelgate.store.access import StoreAccess
from wheelgate.store.cached_users import CachedUsers
from wheelgate.store.serial_cache import SerialCache
from wheelgate.threads.pool import Provider
from wheelgate.values import ROOT, TOKEN_USER, Credentials, Principal, Reject, RequestInfo, Token, Unavailable

PREFIXES = re.compile(r"[a-z]{2,10}_")
USE_EVENT_SECONDS = 3600.0
"""Seconds between two ``TokenUsed`` events of one token."""
USE_EVENT_ENTRIES = 10_000
"""Tokens whose last event is remembered."""
TOKEN_CACHE_ENTRIES = 10_000
"""Verified tokens that are remembered."""

log = logging.getLogger("wheelgate.identity")

Handler = tuple[TokenHandler, Provider]


class Tokens:
    """Asks the handlers; what one found good is remembered until something changes in the stores."""

    def __init__(
        self,
        handlers: Sequence[Handler],
        users: CachedUsers,
        access: StoreAccess,
        key: bytes,
        used: Callable[[Token, RequestInfo], None],
    ) -> None:
        """Take the handlers, the users, a key for what is remembered, and whom to tell that one is used.

        Raises:
            StartupError: a prefix has not the form of one, or belongs to somebody else.
        """
        self._handlers: dict[str, Handler] = {}
        for handler, provider in handlers:
            prefix = handler.prefix
            if not PREFIXES.fullmatch(prefix) or prefix == PREFIX or prefix in self._handlers:
                raise StartupError(
                    f"token handler '{handler.name}': the prefix {prefix!a} must be two to ten small letters "
                    "and a '_', and nobody else's"
                )
            self._handlers[prefix] = handler, provider
        self._users = users
        self._access = access
        self._key = key
        self._used = used
        self._verified: SerialCache[bytes, tuple[Token, Principal]] = SerialCache(TOKEN_CACHE_ENTRIES)
        self._announced: TtlCache[str, bool] = TtlCache(USE_EVENT_ENTRIES)

    def recognises(self, secret: str) -> bool:
        """Whether a secret begins as a token does, and so is no password."""
        return secret[: secret.find("_") + 1] in self._handlers

    async def principal(self, credentials: Credentials, info: Callable[[], RequestInfo]) -> Principal:
        """Return whose token a secret is; without groups.

        Args:
            credentials: they hold a secret that is recognised; the name may be the user's, ``__token__``, or empty.
            info: makes what plugins may know of the request.

        Raises:
            InvalidToken: it is not good, or comes under the name of another user.
            BackendUnavailable: its handler cannot tell now.
        """
        secret = credentials.secret
        key = hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), "sha256")
        serial = await self._access.read(self._access.read_serial)
        known = self._verified.get(serial, key)
        now = time.time()
        # What a handler says for a minute is asked for again after it, so that one that keeps its tokens elsewhere can
        # end them.
        if known is None or now >= known[0].expires:
            handler, provider = self._handlers[secret[: secret.find("_") + 1]]
            token = await self._ask(handler, provider, secret, info)
            await self._refuse_ended(handler, token)
            principal = Principal(token.username, credential=handler.name, restriction=token.restriction)
            known = token, principal
            self._verified.put(serial, key, known)
        token, principal = known
        if credentials.username not in (token.username, TOKEN_USER, ""):
            raise InvalidToken("this token is not valid here: it is another user's")
        if now >= token.expires:
            raise InvalidToken("this token has expired; create a new one")
        if not self._announced.get(token.id):
            self._announced.put(token.id, True, USE_EVENT_SECONDS)
            self._used(token, info())
        return principal

    async def _ask(
        self, handler: TokenHandler, provider: Provider, secret: str, info: Callable[[], RequestInfo]
    ) -> Token:
        try:
            answer: Any = await provider.call(handler.verify, secret)
        except Exception as error:  # noqa: BLE001 - a stranger's code: whatever it raises stays here
            answer = Unavailable(f"it raised {type(error).__name__}")
        match answer:
            case Token() if answer.username != ROOT or handler.local:
                return answer
            case Token():
                raise InvalidToken("this token is not valid here")
            case Reject(reason):
                address = info().remote_address
                log.warning("token handler '%s' rejects a token from %s: %s", handler.name, address, reason)
                raise InvalidToken(reason)
            case Unavailable(reason, retry_after):
                log.warning("token handler '%s' is unavailable: %s", handler.name, reason)
            case _:
                log.error("token handler '%s' answered %s, which is no outcome", handler.name, type(answer).__name__)
                retry_after = 5
        sentence = f"the tokens of '{handler.name}' cannot be checked now; try again later"
        raise BackendUnavailable(sentence, retry_after=retry_after)

    async def _refuse_ended(self, handler: TokenHandler, token: Token) -> None:
        user = await self._access.read(self._users.get, token.username)
        if user is None or user.stamp != token.stamp:
            log.info("token '%s' of handler '%s' has ended with its user or a password", token.id, handler.name)
            raise InvalidToken("this token has ended: its user is gone, or has a changed password; create a new one")
