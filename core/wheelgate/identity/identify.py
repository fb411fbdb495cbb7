"""From a request to the one who asks: extractors, then the session or the authenticators, then the groups."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from wheelgate.caches import LruCache
from wheelgate.errors import NotAuthenticated, Refusal
from wheelgate.identity.authentication import Authentication, Proof
from wheelgate.identity.external_users import Presence
from wheelgate.identity.groups import Groups
from wheelgate.identity.sessions import Session, Sessions
from wheelgate.identity.tokens import Tokens
from wheelgate.providers import CredentialExtractor
from wheelgate.store.access import StoreAccess
from wheelgate.store.cached_users import CachedUsers
from wheelgate.store.serial_cache import SerialCache
from wheelgate.store.server_state import ServerState
from wheelgate.threads.pool import Provider
from wheelgate.values import LONGEST_NAME, Credentials, Ok, Principal, RequestInfo, User

Welcome = Callable[[Ok, Principal, RequestInfo], Awaitable[User]]
"""Makes a user of somebody whom an authenticator vouches for."""

ANYONE = Principal()
SESSION_CACHE_ENTRIES = 10_000
"""Sessions that are remembered: by their headers, and again by their ids."""


class Incoming(Protocol):
    """A request, as far as it matters who sent it."""

    def header(self, name: str) -> str | None:
        """Return a header by its lower-case name."""

    @property
    def info(self) -> RequestInfo:
        """The value that plugins see; made when it is first asked for."""

    def keep_private(self) -> None:
        """Let no shared cache keep the answer: it is not for everybody."""


@dataclass(frozen=True, slots=True)
class _Holder:
    """Whose session it is."""

    principal: Principal
    brought_by: str
    """The authenticator that brought the user; empty for a local one."""
    complete: bool = False
    """Whether the principal has its groups, because they hold until something changes in the stores."""


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
        presence: Presence,
        welcome: Welcome,
        users: CachedUsers,
        state: ServerState,
        access: StoreAccess,
    ) -> None:
        self._extractors = extractors
        self._authentication = authentication
        self._sessions = sessions
        self._api_tokens = tokens
        self._groups = groups
        self._presence = presence
        self._welcome = welcome
        self._users = users
        self._state = state
        self._access = access
        self._holders: SerialCache[str, _Holder | None] = SerialCache(SESSION_CACHE_ENTRIES)
        """By session id; None for a session that has ended."""
        self._headers = tuple(dict.fromkeys(extractor.header for extractor, _ in extractors))
        # PERF: a header that held a token with our signature holds it every time; reading it anew costs 0.01 ms.
        self._tokens: LruCache[str, tuple[Session, bool]] = LruCache(SESSION_CACHE_ENTRIES)
        """Sessions by the headers that they came in, each with whether a browser may have added it by itself."""

    async def caller(self, incoming: Incoming) -> Caller:
        """Find out who asks. Bad credentials make an anonymous caller with a problem, never an error by itself."""
        headers = [value for header in self._headers if (value := incoming.header(header)) is not None]
        if not headers:
            return Caller(ANYONE, incoming)
        known = self._tokens.get(headers[0]) if len(headers) == 1 else None
        if known is None:
            return await self._judge(incoming)
        session, ambient = known
        try:
            return await self._resume(session, incoming, ambient=ambient)
        except Refusal as problem:
            return Caller(ANYONE, incoming, problem, ambient)

    async def _judge(self, incoming: Incoming) -> Caller:
        """Read the credentials of a request, and find out whose they are."""
        sent = self._sent(incoming)
        for extractor, provider, value in sent:
            try:
                # A token is good for what it says, whatever a client, a browser or a proxy says besides.
                if len(sent) > 1 and (token := await self._token_beside(extractor.header, incoming)) is not None:
                    return await self._prove(token, value, incoming, ambient=extractor.ambient)
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
            return Caller(await self._of_token(principal), incoming, None, ambient)
        name = credentials.username
        # The limiter remembers names, and PostgreSQL takes no NUL in one.
        if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
            raise NotAuthenticated(f"no user has such a name: {name[:LONGEST_NAME]!a}")
        if self._sessions.recognises(credentials.secret):
            session = self._sessions.read(credentials.secret, name)
            self._tokens.put(header, (session, ambient))
            return await self._resume(session, incoming, ambient=ambient)
        user = await self._access.read(self.user, name)
        proof = await self._authentication.remembered(credentials, incoming.info, user)
        principal, _ = await self.enter(proof, user, incoming.info)
        return Caller(principal, incoming, None, ambient)

    async def _resume(self, session: Session, incoming: Incoming, *, ambient: bool) -> Caller:
        self._sessions.check_age(session)
        access = self._access
        holder, serial = self.holder(session) if access.instant else await access.read(self.holder, session)
        if holder is None:
            raise NotAuthenticated("this login has ended; log in again")
        if holder.brought_by:
            await self._presence.require(session.username, holder.brought_by, session.issued)
        if not holder.complete:
            groups, lasting = await self._groups.of(session.username, holder.brought_by, serial)
            holder = replace(holder, principal=replace(holder.principal, groups=groups), complete=lasting)
            if lasting:
                self._holders.put(serial, session.id, holder)
        return Caller(holder.principal, incoming, None, ambient, session)

    async def _of_token(self, principal: Principal) -> Principal:
        """Return whose token it is, who must still be there, with the groups of the moment."""
        name = str(principal.name)
        brought_by, serial = await self._access.read(self._origin, name)
        # When the token was made says nothing: only a new login shows that somebody who was away is back.
        await self._presence.require(name, brought_by, 0)
        groups, _ = await self._groups.of(name, brought_by, serial)
        return replace(principal, groups=groups)

    def _origin(self, name: str) -> tuple[str, int]:
        """Return who brought a user, and the change serial at which that holds."""
        serial = self._access.read_serial()
        user = self._users.get(name)
        return user.provider if user else "", serial

    def refuse_token(self, secret: str) -> None:
        """Raise ``NotAuthenticated`` for a login token or an API token where a password is needed."""
        if self._sessions.recognises(secret):
            raise NotAuthenticated("a login token is no password; log in with the password")
        if self._api_tokens.recognises(secret):
            raise NotAuthenticated(
                "an API token is no password: send it with each request, or log in with the password"
            )

    async def enter(self, proof: Proof, user: User | None, info: RequestInfo) -> tuple[Principal, User]:
        """Let in somebody who has just proven a name; who is no user yet becomes one.

        Raises:
            Refusal: the one cannot become a user.
        """
        serial = await self._access.read(self._access.read_serial)
        groups, _ = await self._groups.of(proof.ok.username, "" if proof.local else proof.by, serial)
        principal = Principal(proof.ok.username, groups | (proof.ok.groups or frozenset()), proof.by)
        return principal, user or await self._welcome(proof.ok, principal, info)

    def user(self, name: str) -> User | None:
        """Return the user of that name, from memory if nothing has changed."""
        return self._users.get(name)

    def holder(self, session: Session) -> tuple[_Holder | None, int]:
        """Return whose session it is, and the change serial at which that holds.

        None if the session has ended: by logout, a new password or deletion.
        """
        serial = self._access.read_serial()
        holder = self._holders.get(serial, session.id)
        if holder is None:
            holder = self._holders.get_or_make(serial, session.id, partial(self._read_holder, session))
        return holder, serial

    def _read_holder(self, session: Session) -> _Holder | None:
        user = self._users.get(session.username)
        if user is None or user.stamp != session.stamp or self._state.session_ended(session.id):
            return None
        return _Holder(Principal(session.username, credential="session"), user.provider)
