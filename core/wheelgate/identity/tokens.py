"""API tokens: the handler that has the prefix of a token verifies it."""

from __future__ import annotations

import hmac
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wheelgate.caches import TtlCache
from wheelgate.clocks import utc_text
from wheelgate.errors import BackendUnavailable, InvalidToken, StartupError
from wheelgate.identity.sessions import LOGIN_TOKEN_PREFIX
from wheelgate.plugin_host.circuit import RETRY_AFTER_SECONDS, CircuitBreaker
from wheelgate.plugin_host.failures import failure_text
from wheelgate.providers import TokenHandler
from wheelgate.store.access import StoreAccess
from wheelgate.store.cached_users import CachedUsers
from wheelgate.store.serial_cache import SerialCache
from wheelgate.values import ROOT, TOKEN_USER, Credentials, Principal, Reject, RequestInfo, Token, Unavailable

TOKEN_PREFIX_PATTERN = re.compile(r"[a-z]{2,10}_")
USE_EVENT_SECONDS = 3600.0
"""Seconds between two ``TokenUsed`` events of one token."""
USE_EVENT_ENTRIES = 10_000
"""Tokens whose last event is cached."""
TOKEN_CACHE_ENTRIES = 10_000
"""Verified tokens that are cached, each as a digest."""

log = logging.getLogger("wheelgate.identity")

Handler = tuple[TokenHandler, CircuitBreaker]


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """An API token that a request carries, and what its handler says about it."""

    credentials: Credentials
    token: Token
    handler: str
    """The name of the handler."""

    @property
    def principal(self) -> Principal:
        """The principal of the token, without its groups."""
        return Principal(self.token.username, credential=self.handler, restriction=self.token.restriction)


class ApiTokens:
    """Asks the handlers, and caches valid tokens until the stores change."""

    def __init__(
        self,
        handlers: Sequence[Handler],
        users: CachedUsers,
        access: StoreAccess,
        key: bytes,
        announce_use: Callable[[Token, RequestInfo], None],
    ) -> None:
        """Take the handlers, and what the verification needs.

        Args:
            handlers: each with its circuit breaker.
            users: the users.
            access: reaches the stores.
            key: the secret key for the digests of cached tokens.
            announce_use: called when a token is used, at most once an hour for each token.

        Raises:
            StartupError: a prefix is malformed, or belongs to another handler or to the login tokens.
        """
        self._handlers: dict[str, Handler] = {}
        for handler, breaker in handlers:
            prefix = handler.prefix
            if not TOKEN_PREFIX_PATTERN.fullmatch(prefix) or prefix == LOGIN_TOKEN_PREFIX or prefix in self._handlers:
                raise StartupError(
                    f"token handler '{handler.name}': the prefix {prefix!a} must be two to ten lower-case letters "
                    "and a '_', and no other handler may have it"
                )
            self._handlers[prefix] = handler, breaker
        self._users = users
        self._access = access
        self._key = key
        self._announce_use = announce_use
        self._verified: SerialCache[bytes, tuple[Token, str]] = SerialCache(TOKEN_CACHE_ENTRIES)
        self._used_lately: TtlCache[str, bool] = TtlCache(USE_EVENT_ENTRIES)

    def recognises(self, secret: str) -> bool:
        """Return whether a secret begins as an API token does, and therefore is not a password."""
        return secret[: secret.find("_") + 1] in self._handlers

    async def verify(self, credentials: Credentials, info: Callable[[], RequestInfo]) -> VerifiedToken:
        """Verify a token.

        Args:
            credentials: with a secret that :meth:`recognises` accepts; the name is the user's, ``__token__`` or empty.
            info: makes the value that plugins get of the request.

        Raises:
            InvalidToken: the token is invalid, or is sent with the name of another user.
            BackendUnavailable: the handler cannot tell now.
        """
        secret = credentials.secret
        key = hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), "sha256")
        serial = await self._access.read(self._access.read_serial)
        known = self._verified.get(serial, key)
        now = time.time()
        # A handler whose tokens can end without a change in the stores sets an early expiry, and is then asked again.
        if known is None or now >= known[0].expires:
            handler, breaker = self._handler(secret)
            token = await self._ask(handler, breaker, secret, info)
            await self._refuse_ended(handler, token)
            known = token, handler.name
            self._verified.put(serial, key, known)
        token, handler_name = known
        if credentials.username not in (token.username, TOKEN_USER, ""):
            raise InvalidToken("this token is not valid here: it belongs to another user")
        if now >= token.expires:
            raise InvalidToken("this token has expired; create a new one", details=token_details(token))
        if not self._used_lately.get(token.id):
            self._used_lately.put(token.id, True, USE_EVENT_SECONDS)
            self._announce_use(token, info())
        return VerifiedToken(credentials, token, handler_name)

    def require_valid(self, verified: VerifiedToken) -> None:
        """Ask again inside a transaction, in the current thread, whether a verified token is still valid.

        A handler outside of the server's own database is asked again only when the token's time is over: nothing that
        the transaction can see ends its tokens earlier.

        Raises:
            InvalidToken: the token has been revoked, or has expired.
            BackendUnavailable: the handler cannot tell now.
        """
        handler, breaker = self._handler(verified.credentials.secret)
        if handler.local:
            answer: Any = handler.verify(verified.credentials.secret)
        elif time.time() < verified.token.expires:
            answer = verified.token
        else:
            answer = breaker.call_blocking(handler.verify, verified.credentials.secret)
        if isinstance(answer, Unavailable):
            raise BackendUnavailable(unavailable_sentence(handler), retry_after=answer.retry_after)
        if not isinstance(answer, Token) or time.time() >= answer.expires:
            reason = answer.reason if isinstance(answer, Reject) else "this token has expired; create a new one"
            raise InvalidToken(reason)

    def _handler(self, secret: str) -> Handler:
        return self._handlers[secret[: secret.find("_") + 1]]

    async def _ask(
        self, handler: TokenHandler, breaker: CircuitBreaker, secret: str, info: Callable[[], RequestInfo]
    ) -> Token:
        try:
            answer: Any = await breaker.call(handler.verify, secret)
        except Exception as error:  # noqa: BLE001 - third-party code: any exception means that it cannot tell
            answer = Unavailable(f"it raised {failure_text(error, [secret])}")
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
                log.error(
                    "token handler '%s' answered %s, which is not an outcome", handler.name, type(answer).__name__
                )
                retry_after = RETRY_AFTER_SECONDS
        raise BackendUnavailable(unavailable_sentence(handler), retry_after=retry_after)

    async def _refuse_ended(self, handler: TokenHandler, token: Token) -> None:
        user = await self._access.read(self._users.get, token.username)
        if user is None or user.stamp != token.stamp:
            log.info("token '%s' of handler '%s' has ended with its user or a password", token.id, handler.name)
            raise InvalidToken(
                "this token has ended: its user was deleted or has a new password; create a new one",
                details=token_details(token),
            )


def token_details(token: Token) -> dict[str, Any]:
    """Return what the refusal of a token that was valid once says about it."""
    return {"user": token.username, "credential": {"kind": "token", "id": token.id, "expires": utc_text(token.expires)}}


def unavailable_sentence(handler: TokenHandler) -> str:
    """Return the message for a token whose handler does not answer."""
    return f"the tokens of '{handler.name}' cannot be checked now; try again later"
