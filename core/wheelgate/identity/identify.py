"""Identifies the sender of a request: reads the credentials in its headers, and has them verified."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from wheelgate.caches import LruCache
from wheelgate.clocks import utc_text
from wheelgate.errors import NotAuthenticated, Refusal
from wheelgate.identity.accounts import Accounts
from wheelgate.identity.authentication import Authentication
from wheelgate.identity.sessions import Session, Sessions
from wheelgate.identity.tokens import ApiTokens, VerifiedToken
from wheelgate.plugin_host.circuit import CircuitBreaker
from wheelgate.plugin_host.failures import failure_text
from wheelgate.plugin_host.masking import secrets_of
from wheelgate.providers import CredentialExtractor
from wheelgate.values import MAX_NAME_CHARS, ROOT, TOKEN_USER, Credentials, Principal, RequestInfo

ANONYMOUS_PRINCIPAL = Principal()
"""The principal of an anonymous caller."""
SESSION_HEADER_CACHE_ENTRIES = 10_000
"""Headers with a login token whose session is cached."""

SESSION_KIND = "session"
"""The kind of credentials that are a login token without a user name: the token says whose it is."""

log = logging.getLogger("wheelgate.identity")


class Incoming(Protocol):
    """The parts of a request that identify its sender."""

    def header(self, name: str) -> str | None:
        """Return a header by its lower-case name."""

    @property
    def info(self) -> RequestInfo:
        """The value that plugins get; made when it is first needed."""

    def show_serial(self) -> None:
        """Let the answer show the change serial, which also tells of changes to private indices."""

    def note_user(self, name: str) -> None:
        """Let the access log name the sender."""

    def keep_private(self) -> None:
        """Keep shared caches from storing the answer, because it is for this caller only."""


@dataclass(frozen=True, slots=True)
class Login:
    """The credentials that proved a principal, as far as they can end while a request is handled."""

    stamp: str
    """The user's stamp at that time."""
    since: float
    """When the user's login service vouched for the user, in seconds since 1970; 0 if that is unknown."""
    session: Session | None = None
    token: VerifiedToken | None = None
    reported_groups: frozenset[str] = frozenset()
    """The groups that an authenticator reported with this request."""
    trusted: bool = False
    """Whether a proxy vouched for the name, so that there was no secret."""
    expires: int | None = None
    """When a session or a token ends, in seconds since 1970; None for a password."""

    @property
    def credential(self) -> dict[str, Any]:
        """The credentials as answers show them: ``kind``, ``id`` and ``expires``; never a secret."""
        expires = None if self.expires is None else utc_text(self.expires)
        if self.session is not None:
            return {"kind": "session", "id": self.session.id, "expires": expires}
        if self.token is not None:
            return {"kind": "token", "id": self.token.token.id, "expires": expires}
        return {"kind": "proxy" if self.trusted else "password", "id": None, "expires": None}


@dataclass(frozen=True, slots=True)
class CredentialSource:
    """What the server knows about the way in which credentials came."""

    ambient: bool = False
    """Whether a browser may have added them on its own."""
    browser_only: bool = False
    """Whether nothing but a browser sends them."""


@dataclass(slots=True)
class Caller:
    """The sender of a request."""

    principal: Principal
    incoming: Incoming
    problem: Refusal | None = None
    """Why the credentials are invalid. It becomes the answer only if the request needs a permission."""
    source: CredentialSource = CredentialSource()
    """Where the credentials come from."""
    login: Login | None = None
    """The proof of the principal; None for anonymous."""

    @property
    def info(self) -> RequestInfo:
        """The value that plugins get of the request."""
        return self.incoming.info


class Identifier:
    """Finds the caller of a request: steps 2 to 4 in "How a request is handled" of the architecture."""

    def __init__(
        self,
        extractors: Sequence[tuple[CredentialExtractor, CircuitBreaker]],
        authentication: Authentication,
        sessions: Sessions,
        api_tokens: ApiTokens,
        accounts: Accounts,
    ) -> None:
        self._extractors = extractors
        self._authentication = authentication
        self._sessions = sessions
        self._api_tokens = api_tokens
        self._accounts = accounts
        self._headers = tuple(dict.fromkeys(extractor.header for extractor, _ in extractors))
        # PERF: a header whose token had a valid signature keeps it; verifying it again costs 0.01 ms.
        self._session_headers: LruCache[str, tuple[Session, Login, CredentialSource]] = LruCache(
            SESSION_HEADER_CACHE_ENTRIES
        )
        """Sessions by the header that they came in."""

    async def caller(self, incoming: Incoming) -> Caller:
        """Find the caller. Bad credentials make an anonymous caller with a problem; they are no error by themselves."""
        caller = await self._find_caller(incoming)
        if caller.principal.name is not None:
            incoming.note_user(caller.principal.name)
        if caller.principal.name == ROOT and caller.principal.restriction is None:
            incoming.show_serial()
        return caller

    async def _find_caller(self, incoming: Incoming) -> Caller:
        headers = [value for header in self._headers if (value := incoming.header(header)) is not None]
        if not headers:
            return Caller(ANONYMOUS_PRINCIPAL, incoming)
        known = self._session_headers.get(headers[0]) if len(headers) == 1 else None
        if known is None:
            return await self._read_credentials(incoming)
        session, login, source = known
        try:
            return await self._resume(session, login, incoming, source)
        except Refusal as problem:
            return refused_caller(incoming, problem, source)

    async def _read_credentials(self, incoming: Incoming) -> Caller:
        present = self._extractors_for(incoming)
        for extractor, breaker, value in present:
            source = CredentialSource(extractor.ambient, extractor.browser_only)
            try:
                # An API token decides, even if a client, a browser or a proxy sends other credentials with it.
                if len(present) > 1 and (token := await self._api_token_except(extractor.header, incoming)) is not None:
                    return await self._verify(token, value, incoming, source)
                credentials = await self._extract(extractor, breaker, incoming.info)
                if credentials is not None:
                    return await self._verify(credentials, value, incoming, source)
            except Refusal as problem:
                return refused_caller(incoming, problem, source)
        return Caller(ANONYMOUS_PRINCIPAL, incoming)

    def _extractors_for(self, incoming: Incoming) -> list[tuple[CredentialExtractor, CircuitBreaker, str]]:
        """Return the extractors whose header the request has, in their order, each with that header."""
        return [
            (extractor, breaker, value)
            for extractor, breaker in self._extractors
            if (value := incoming.header(extractor.header)) is not None
        ]

    async def proxy_credentials(self, incoming: Incoming, name: str) -> Credentials | None:
        """Return the credentials with which a trusted proxy vouches for a name; None if there are none.

        Return None, too, if the request has an API token: the proxy must not turn the token into a login.
        """
        if await self._api_token_except("", incoming) is not None:
            return None
        found = await self._credentials_except("", incoming)
        return next((each for each in found if each.trusted and each.username == name), None)

    async def _api_token_except(self, header: str, incoming: Incoming) -> Credentials | None:
        """Return the API token in any header but this one."""
        found = await self._credentials_except(header, incoming)
        return next(
            (each for each in found if each.kind != SESSION_KIND and self._api_tokens.recognises(each.secret)), None
        )

    async def _credentials_except(self, header: str, incoming: Incoming) -> list[Credentials]:
        """Return the credentials in all headers but one, without malformed ones."""
        found = []
        for extractor, breaker, _ in self._extractors_for(incoming):
            if extractor.header != header:
                with contextlib.suppress(NotAuthenticated):
                    found.append(await self._extract(extractor, breaker, incoming.info))
        return [each for each in found if each is not None]

    async def _extract(
        self, extractor: CredentialExtractor, breaker: CircuitBreaker, info: RequestInfo
    ) -> Credentials | None:
        try:
            return await breaker.call(extractor.extract, info)
        except Refusal:
            raise
        except Exception as error:  # noqa: BLE001 - third-party code; weaker credentials must not count instead
            failure = failure_text(error, [*secrets_of(info.headers), info.headers.get(extractor.header, "")])
            log.warning("credential extractor '%s' failed: %s", extractor.name, failure)
            raise NotAuthenticated("the credentials could not be read") from None

    async def _verify(
        self, credentials: Credentials, header: str, incoming: Incoming, source: CredentialSource
    ) -> Caller:
        if credentials.kind == SESSION_KIND:
            return await self._verify_session(credentials, header, incoming, source)
        if self._api_tokens.recognises(credentials.secret):
            token = await self._api_tokens.verify(credentials, lambda: incoming.info)
            # The time when the token was made proves nothing: only a new login shows that a user has come back.
            login = Login(token.token.stamp, 0, token=token, expires=token.token.expires)
            return Caller(await self._accounts.of_token(token.principal), incoming, None, source, login)
        name = credentials.username
        # The limiter stores names, and PostgreSQL refuses a name with NUL.
        if not 1 <= len(name) <= MAX_NAME_CHARS or not name.isprintable():
            raise NotAuthenticated(f"no user has such a name: {name[:MAX_NAME_CHARS]!a}")
        if name == TOKEN_USER:
            raise NotAuthenticated(
                f"the password of user '{TOKEN_USER}' has to be an API token, but begins differently: check that the"
                " whole token was copied, without spaces and quotes"
            )
        if self._sessions.recognises(credentials.secret):
            return await self._verify_session(credentials, header, incoming, source)
        user = await self._accounts.find(name)
        asked = time.time()
        proof = await self._authentication.verify_cached(credentials, incoming.info, user)
        principal, user = await self._accounts.of_proof(proof, incoming.info)
        groups = proof.ok.groups or frozenset()
        login = Login(user.stamp, asked, reported_groups=groups, trusted=credentials.trusted)
        return Caller(principal, incoming, None, source, login)

    async def _verify_session(
        self, credentials: Credentials, header: str, incoming: Incoming, source: CredentialSource
    ) -> Caller:
        if not self._sessions.recognises(credentials.secret):
            raise NotAuthenticated("this is not a login token")
        session = self._sessions.read(credentials.secret, credentials.username)
        login = Login(session.stamp, session.issued, session, expires=session.issued + self._sessions.lifetime)
        self._session_headers.put(header, (session, login, source))
        return await self._resume(session, login, incoming, source)

    async def _resume(self, session: Session, login: Login, incoming: Incoming, source: CredentialSource) -> Caller:
        try:
            self._sessions.check_age(session)
            principal = await self._accounts.of_session(session)
        except NotAuthenticated as ended:
            ended.details = {"user": session.username, "credential": login.credential}
            raise
        return Caller(principal, incoming, None, source, login)

    def refuse_token(self, secret: str) -> None:
        """Raise ``NotAuthenticated`` if a login token or an API token is given where a password is needed."""
        if self._sessions.recognises(secret):
            raise NotAuthenticated("a login token is not a password; log in with the password")
        if self._api_tokens.recognises(secret):
            raise NotAuthenticated(
                "an API token is not a password: send it with each request, or log in with the password"
            )


def refused_caller(incoming: Incoming, problem: Refusal, source: CredentialSource) -> Caller:
    """Return the anonymous caller whose credentials are invalid.

    A browser goes on sending a cookie that has ended; its user is then simply not logged in.
    """
    ended = source.browser_only and isinstance(problem, NotAuthenticated)
    return Caller(ANONYMOUS_PRINCIPAL, incoming, None if ended else problem, source)
