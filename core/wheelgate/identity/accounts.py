"""Turns a verified name into a principal: checks that the user still exists, and adds the groups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from wheelgate.errors import NotAuthenticated
from wheelgate.identity.authentication import Proof
from wheelgate.identity.external_users import ExternalUsers
from wheelgate.identity.groups import GroupLookup, group_names
from wheelgate.identity.sessions import Session
from wheelgate.store.access import StoreAccess
from wheelgate.store.cached_users import CachedUsers
from wheelgate.store.serial_cache import SerialCache
from wheelgate.store.server_state import ServerState
from wheelgate.values import Ok, Principal, RequestInfo, User

CreateUser = Callable[[Ok, Principal, RequestInfo], Awaitable[User]]
"""Creates the user of a person who logs in for the first time."""

SESSION_OWNER_CACHE_ENTRIES = 10_000
"""Sessions whose owner is cached."""


@dataclass(frozen=True, slots=True)
class SessionOwner:
    """The user to whom a session belongs."""

    principal: Principal
    authenticator: str
    """The authenticator that created the user; empty for a local user."""
    has_groups: bool = False
    """Whether the principal includes its groups, because they are valid until the stores change."""


class Accounts:
    """Looks up users, their groups, and whether an external login service still knows them."""

    def __init__(
        self,
        users: CachedUsers,
        state: ServerState,
        access: StoreAccess,
        groups: GroupLookup,
        external_users: ExternalUsers,
        create_user: CreateUser,
    ) -> None:
        self._users = users
        self._state = state
        self._access = access
        self._groups = groups
        self._external_users = external_users
        self._create_user = create_user
        self._owners: SerialCache[str, SessionOwner | None] = SerialCache(SESSION_OWNER_CACHE_ENTRIES)
        """By session id; None for a session that has ended."""

    async def find(self, name: str) -> User | None:
        """Return the user of that name, from the cache if the stores have not changed; None if there is none."""
        return await self._access.read(self._users.get, name)

    async def of_session(self, session: Session) -> Principal:
        """Return the principal of a session.

        Raises:
            NotAuthenticated: the session has ended, or the login service no longer knows the user.
            BackendUnavailable: the login service cannot tell now.
        """
        access = self._access
        owner, serial = self._owner(session) if access.instant else await access.read(self._owner, session)
        if owner is None:
            raise NotAuthenticated("this login has ended; log in again")
        if owner.authenticator:
            await self._external_users.require(session.username, owner.authenticator, session.issued)
        if not owner.has_groups:
            groups, until_change = await self._groups.of(session.username, owner.authenticator, serial)
            owner = replace(owner, principal=replace(owner.principal, groups=groups), has_groups=until_change)
            if until_change:
                self._owners.put(serial, session.id, owner)
        return owner.principal

    async def of_token(self, principal: Principal) -> Principal:
        """Add the present groups to the principal of an API token.

        Raises:
            NotAuthenticated: the login service no longer knows the user.
            BackendUnavailable: the login service cannot tell now.
        """
        name = str(principal.name)
        authenticator, serial = await self._access.read(self._authenticator, name)
        # The time when the token was made proves nothing: only a new login shows that a user has come back.
        await self._external_users.require(name, authenticator, 0)
        groups, _ = await self._groups.of(name, authenticator, serial)
        return replace(principal, groups=groups)

    async def of_name(self, name: str) -> Principal | None:
        """Return the principal that a user would have after a login; None if there is no such user."""
        serial = await self._access.read(self._access.read_serial)
        user = await self.find(name)
        if user is None:
            return None
        groups, _ = await self._groups.of(name, user.provider, serial)
        return Principal(name, groups)

    async def require_present(self, user: User, since: float) -> None:
        """Refuse a user who has left the login service that created the account; see ``ExternalUsers.require``."""
        await self._external_users.require(user.name, user.provider, since)

    async def of_proof(self, proof: Proof, info: RequestInfo) -> tuple[Principal, User]:
        """Return the principal and the user for verified credentials; create the user at the first login.

        Raises:
            Refusal: the user cannot be created.
        """
        serial = await self._access.read(self._access.read_serial)
        groups, _ = await self._groups.of(proof.ok.username, "" if proof.local else proof.authenticator, serial)
        reported = group_names(proof.ok.groups or frozenset()).names
        principal = Principal(proof.ok.username, groups | reported, proof.authenticator)
        return principal, proof.user or await self._create_user(proof.ok, principal, info)

    def _authenticator(self, name: str) -> tuple[str, int]:
        """Return the authenticator that created a user, and the change serial at which that is true."""
        serial = self._access.read_serial()
        user = self._users.get(name)
        return user.provider if user else "", serial

    def _owner(self, session: Session) -> tuple[SessionOwner | None, int]:
        """Return the owner of a session, and the change serial at which that is true.

        The owner is None if the session has ended by logout, a new password, or deletion of the user.
        """
        serial = self._access.read_serial()
        owner = self._owners.get(serial, session.id)
        if owner is None:
            owner = self._owners.get_or_make(serial, session.id, partial(self._read_owner, session))
        return owner, serial

    def _read_owner(self, session: Session) -> SessionOwner | None:
        user = self._users.get(session.username)
        if user is None or user.stamp != session.stamp or self._state.session_ended(session.id, session.epoch):
            return None
        return SessionOwner(Principal(session.username, credential="session"), user.provider)
