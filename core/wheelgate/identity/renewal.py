"""Asks again for the credentials of a caller when a change is recorded: they may have ended since the request began."""

from __future__ import annotations

from dataclasses import replace

from wheelgate.errors import NotAuthenticated
from wheelgate.identity.accounts import Accounts
from wheelgate.identity.groups import GroupLookup
from wheelgate.identity.identify import Caller, Login
from wheelgate.identity.sessions import Sessions
from wheelgate.identity.tokens import ApiTokens
from wheelgate.store.protocols import UserStore
from wheelgate.store.server_state import ServerState
from wheelgate.values import Principal, User


class Renewal:
    """Renews a caller in two steps: what only others know is asked before a transaction, and the rest inside it.

    A directory that takes long must not hold the lock of the database. A password, a logout and the server's own
    groups, on the other hand, can change until the very moment at which the lock is taken.
    """

    def __init__(
        self,
        users: UserStore,
        state: ServerState,
        accounts: Accounts,
        sessions: Sessions,
        tokens: ApiTokens,
        groups: GroupLookup,
    ) -> None:
        """Take the store of users itself: inside a transaction, a cache would keep what is not committed yet."""
        self._users = users
        self._state = state
        self._accounts = accounts
        self._sessions = sessions
        self._tokens = tokens
        self._groups = groups

    async def before_transaction(self, caller: Caller) -> Caller:
        """Return the caller with the groups that a directory reports now, and without those of this server.

        Raises:
            NotAuthenticated: the user has left the directory, or was deleted.
            BackendUnavailable: a login service cannot tell now.
        """
        name, login = caller.principal.name, caller.login
        if name is None or login is None:
            return caller
        user = await self._accounts.find(name)
        if user is None:
            raise has_ended(name, login)
        await self._accounts.require_present(user, login.since)
        groups = login.reported_groups | await self._groups.lasting(name, user.provider)
        return replace(caller, principal=replace(caller.principal, groups=groups))

    def in_transaction(self, caller: Caller) -> Principal:
        """Return the principal of a caller from :meth:`before_transaction` as it is at this moment.

        Raises:
            NotAuthenticated: the session or the token has ended, or the user has a new password or was deleted.
            BackendUnavailable: the handler of the token cannot tell now.
        """
        name, login = caller.principal.name, caller.login
        if name is None or login is None:
            return caller.principal
        user = self._users.get(name)
        if user is None or user.stamp != login.stamp or self._session_has_ended(login):
            raise has_ended(name, login)
        if login.token is not None:
            self._tokens.require_valid(login.token)
        return self._with_own_groups(caller.principal, user)

    def _session_has_ended(self, login: Login) -> bool:
        """Return whether a session was ended by a logout. Raise ``NotAuthenticated`` if it is too old."""
        if login.session is None:
            return False
        self._sessions.check_age(login.session)
        return self._state.session_ended(login.session.id, login.session.epoch)

    def _with_own_groups(self, principal: Principal, user: User) -> Principal:
        return replace(principal, groups=principal.groups | self._groups.live(user.name, user.provider))


def has_ended(name: str, login: Login) -> NotAuthenticated:
    """Return the refusal of a login that has ended since the request began."""
    details = {"user": name, "credential": login.credential}
    return NotAuthenticated("this login has ended; log in again", details=details)
