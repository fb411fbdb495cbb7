"""From a request to the one who asks: extractors, then the session or the authenticators, then the groups."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from wheelgate.errors import NotAuthenticated, Refusal
from wheelgate.identity.authentication import Authentication, Proof
from wheelgate.identity.groups import Groups
from wheelgate.identity.sessions import Session, Sessions
from wheelgate.identity.tokens import Tokens
from wheelgate.pools import Provider
from wheelgate.providers import CredentialExtractor
from wheelgate.store.access import Access, Kept, known_user
from wheelgate.store.protocols import UserStore
from wheelgate.store.state import ServerState
from wheelgate.values import LONGEST_NAME, Credentials, Principal, RequestInfo, User

ANYONE = Principal()
KEPT = 10_000


class Incoming(Protocol):
    """A request, as far as it matters who sent it."""

    def header(self, name: str) -> str | None:
        """Return a header by its lower-case name."""

    @property
    def info(self) -> RequestInfo:
        """The value that plugins see; made when it is first asked for."""


@dataclass(slots=True)
class Caller:
    """Who asks, and how the request says so."""

    principal: Principal
    incoming: Incoming
    problem: Refusal | None = None
    """Why the credentials given prove nobody; it becomes the answer only where a right is needed."""
    ambient: bool = False
    """Whether a browser may have added the credentials by itself."""
    session: Session | None = None

    @property
    def info(self) -> RequestInfo:
        """What plugins may know of the request."""
        return self.incoming.info


class Identifier:
    """Steps 2 to 4 of a request's way."""

    def __init__(
        self,
        extractors: Sequence[tuple[CredentialExtractor, Provider]],
        authentication: Authentication,
        sessions: Sessions,
        tokens: Tokens,
        groups: Groups,
        users: UserStore,
        state: ServerState,
        access: Access,
        kept: Kept,
    ) -> None:
        self._extractors = extractors
        self._authentication = authentication
        self._sessions = sessions
        self._api_tokens = tokens
        self._groups = groups
        self._users = users
        self._state = state
        self._access = access
        self._kept = kept
        # PERF: a header that held a token with our signature holds it every time; reading it anew costs 0.01 ms.
        self._tokens: dict[str, Session] = {}

    async def caller(self, incoming: Incoming) -> Caller:
        """Find out who asks. Bad credentials make an anonymous caller with a problem, never an error by itself."""
        sent = self._sent(incoming)
        for extractor, provider, value in sent:
            try:
                # A token is good for what it says, whatever a client, a browser or a proxy says besides.
                if len(sent) > 1 and (token := await self._token_beside(extractor.header, incoming)) is not None:
                    return await self._prove(token, value, incoming, ambient=extractor.ambient)
                known = self._tokens.get(value)
                if known is not None:
                    return await self._resume(known, incoming, ambient=extractor.ambient)
                credentials = await self._extract(extractor, provider, incoming.info)
                if credentials is not None:
                    return await self._prove(credentials, value, incoming, ambient=extractor.ambient)
            except Refusal as problem:
                return Caller(ANYONE, incoming, problem, extractor.ambient)
        return Caller(ANYONE, incoming)

    def _sent(self, incoming: Incoming) -> list[tuple[CredentialExtractor, Provider, str]]:
        """Return the extractors whose header a request has, with the header, in their order."""
        return [
            (extractor, provider, value)
            for extractor, provider in self._extractors
            if (value := incoming.header(extractor.header)) is not None
        ]

    async def vouched(self, incoming: Incoming, name: str) -> Credentials | None:
        """Return the credentials without a secret by which a proxy vouches for a name; None if none does.

        None too beside an API token, which must not become a login by way of the proxy.
        """
        if await self._token_beside("", incoming) is not None:
            return None
        carried = await self._carried("", incoming)
        return next((each for each in carried if each.trusted and each.username == name), None)

    async def _token_beside(self, header: str, incoming: Incoming) -> Credentials | None:
        """Return the API token that a request carries in another header than this one."""
        carried = await self._carried(header, incoming)
        return next((each for each in carried if self._api_tokens.recognises(each.secret)), None)

    async def _carried(self, but: str, incoming: Incoming) -> list[Credentials]:
        """Return all credentials of a request, except malformed ones and those of one header."""
        carried = []
        for extractor, provider, _ in self._sent(incoming):
            if extractor.header != but:
                with contextlib.suppress(NotAuthenticated):
                    carried.append(await self._extract(extractor, provider, incoming.info))
        return [each for each in carried if each is not None]

    async def _extract(
        self, extractor: CredentialExtractor, provider: Provider, info: RequestInfo
    ) -> Credentials | None:
        try:
            return await provider.call(extractor.extract, info)
        except Refusal:
            raise
        except Exception:  # noqa: BLE001 - a stranger's code; a failure must not fall through to a weaker kind
            raise NotAuthenticated("the credentials could not be read") from None

    async def _prove(self, credentials: Credentials, header: str, incoming: Incoming, *, ambient: bool) -> Caller:
        if self._api_tokens.recognises(credentials.secret):
            principal = await self._api_tokens.principal(credentials, lambda: incoming.info)
            return Caller(await self._in_groups(principal), incoming, None, ambient)
        name = credentials.username
        # The limiter remembers names, and PostgreSQL takes no NUL in one.
        if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
            raise NotAuthenticated(f"no user has such a name: {name[:LONGEST_NAME]!a}")
        if self._sessions.recognises(credentials.secret):
            session = self._sessions.read(credentials.secret, name)
            if len(self._tokens) >= KEPT:
                self._tokens.clear()
            self._tokens[header] = session
            return await self._resume(session, incoming, ambient=ambient)
        user = await self._access.read(self.user, name)
        proof = await self._authentication.remembered(credentials, incoming.info, user)
        return Caller(await self.principal(proof), incoming, None, ambient)

    async def _resume(self, session: Session, incoming: Incoming, *, ambient: bool) -> Caller:
        self._sessions.check_age(session)
        access = self._access
        principal = self.holder(session) if access.instant else await access.read(self.holder, session)
        if principal is None:
            raise NotAuthenticated("this login has ended; log in again")
        return Caller(await self._in_groups(principal), incoming, None, ambient, session)

    async def _in_groups(self, principal: Principal) -> Principal:
        """Return who holds a session or a token, with the groups of the moment."""
        if not self._groups.any or principal.name is None:
            return principal
        user = await self._access.read(self.user, principal.name)
        groups = await self._groups.of(principal.name, user.provider if user else "")
        return replace(principal, groups=groups)

    def refuse_token(self, secret: str) -> None:
        """Raise ``NotAuthenticated`` for a login token or an API token where a password is needed."""
        if self._sessions.recognises(secret):
            raise NotAuthenticated("a login token is no password; log in with the password")
        if self._api_tokens.recognises(secret):
            raise NotAuthenticated(
                "an API token is no password: send it with each request, or log in with the password"
            )

    async def principal(self, proof: Proof) -> Principal:
        """Make the principal of somebody who has just proven a name."""
        groups = await self._groups.of(proof.ok.username, "" if proof.local else proof.by)
        return Principal(proof.ok.username, groups | (proof.ok.groups or frozenset()), proof.by)

    def user(self, name: str) -> User | None:
        """Return the user of that name, from memory if nothing has changed."""
        return known_user(self._users, self._kept, name)

    def holder(self, session: Session) -> Principal | None:
        """Return whose session it is, or None if it has ended: by logout, a new password or deletion."""
        kept = self._kept.now()
        key = session.id
        if key not in kept:
            user = self.user(session.username)
            holds = user is not None and user.stamp == session.stamp and not self._state.session_ended(session.id)
            kept[key] = Principal(session.username, credential="session") if holds else None
        found: Principal | None = kept[key]
        return found
