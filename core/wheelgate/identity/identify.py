"""From a request to the one who asks: extractors, then the session or the authenticators, then the groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wheelgate.errors import NotAuthenticated, Refusal
from wheelgate.identity.authentication import Authentication, Proof
from wheelgate.identity.groups import Groups
from wheelgate.identity.sessions import Session, Sessions
from wheelgate.pools import Provider
from wheelgate.providers import CredentialExtractor
from wheelgate.store.access import Access, Kept
from wheelgate.store.protocols import UserStore
from wheelgate.store.state import ServerState
from wheelgate.values import Credentials, Principal, RequestInfo, User

ANYONE = Principal()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and how the request says so."""

    principal: Principal
    info: RequestInfo
    problem: Refusal | None = None
    """Why the credentials given prove nobody; it becomes the answer only where a right is needed."""
    ambient: bool = False
    """Whether a browser may have added the credentials by itself."""
    session: Session | None = None


class Identifier:
    """Steps 2 to 4 of a request's way."""

    def __init__(
        self,
        extractors: Sequence[tuple[CredentialExtractor, Provider]],
        authentication: Authentication,
        sessions: Sessions,
        groups: Groups,
        users: UserStore,
        state: ServerState,
        access: Access,
        kept: Kept,
    ) -> None:
        self._extractors = extractors
        self._authentication = authentication
        self._sessions = sessions
        self._groups = groups
        self._users = users
        self._state = state
        self._access = access
        self._kept = kept

    async def caller(self, info: RequestInfo) -> Caller:
        """Find out who asks. Bad credentials make an anonymous caller with a problem, never an error by itself."""
        ambient = False
        try:
            for extractor, provider in self._extractors:
                ambient = extractor.ambient
                credentials = await self._extract(extractor, provider, info)
                if credentials is not None:
                    return await self._prove(credentials, info, ambient=ambient)
        except Refusal as problem:
            return Caller(ANYONE, info, problem, ambient)
        return Caller(ANYONE, info)

    async def _extract(
        self, extractor: CredentialExtractor, provider: Provider, info: RequestInfo
    ) -> Credentials | None:
        try:
            return await provider.call(extractor.extract, info)
        except Refusal:
            raise
        except Exception:  # noqa: BLE001 - a stranger's code; a failure must not fall through to a weaker kind
            raise NotAuthenticated("the credentials could not be read") from None

    async def _prove(self, credentials: Credentials, info: RequestInfo, *, ambient: bool) -> Caller:
        name = credentials.username
        if self._sessions.recognises(credentials.secret):
            session = self._sessions.read(credentials.secret, name)
            if await self._access.read(self.user_of, session) is None:
                raise NotAuthenticated("this login has ended; log in again")
            return Caller(Principal(name, await self._groups.of(name), "session"), info, None, ambient, session)
        user = await self._access.read(self.user, name)
        proof = await self._authentication.remembered(credentials, info, user)
        return Caller(await self.principal(proof), info, None, ambient)

    async def principal(self, proof: Proof) -> Principal:
        """Make the principal of somebody who has just proven a name."""
        groups = await self._groups.of(proof.ok.username)
        return Principal(proof.ok.username, groups | (proof.ok.groups or frozenset()), proof.by)

    def user(self, name: str) -> User | None:
        """Return the user of that name, from memory if nothing has changed."""
        kept = self._kept.now()
        key = ("user", name)
        if key not in kept:
            kept[key] = self._users.get(name)
        user: User | None = kept[key]
        return user

    def user_of(self, session: Session) -> User | None:
        """Return the user of a session, or None if it has ended: by logout, a new password or deletion."""
        kept = self._kept.now()
        key = ("session", session.id)
        if key not in kept:
            user = self._users.get(session.username)
            holds = user is not None and user.stamp == session.stamp and not self._state.session_ended(session.id)
            kept[key] = user if holds else None
        found: User | None = kept[key]
        return found
