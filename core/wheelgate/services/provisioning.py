"""Users from elsewhere: at the first login they become users here, with what the plugins give them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from wheelgate.config import unknown_name
from wheelgate.errors import BackendUnavailable, Conflict, Forbidden, Refusal, StartupError
from wheelgate.names import check_name
from wheelgate.plugin_host.discovery import Implementation
from wheelgate.server import Server
from wheelgate.services.indices import Indices
from wheelgate.services.users import UserChange, Users
from wheelgate.store.access import StoreAccess
from wheelgate.threads.pool import Provider
from wheelgate.values import Index, Ok, Principal, RequestInfo, User, UserDefaults

LONGEST_TEXT = 1000
"""Characters of an email or a title; a longer one is left out."""

Tell = Callable[[str, Principal, RequestInfo, str], None]
"""Told what happened: the event, who did it, by which request, and to what."""

log = logging.getLogger("wheelgate.users")


class Provisioning:
    """Creates users whom an authenticator vouches for."""

    def __init__(
        self,
        server: Server,
        users: Users,
        indices: Indices,
        access: StoreAccess,
        hooks: Sequence[tuple[Implementation, Provider]],
        creates: Collection[str],
        tell: Tell,
    ) -> None:
        """Take the parts, the plugins that are asked, and the authenticators whose users are created."""
        self._server = server
        self._users = users
        self._indices = indices
        self._access = access
        self._hooks = hooks
        self._creates = creates
        self._tell = tell

    async def welcome(self, ok: Ok, principal: Principal, info: RequestInfo) -> User:
        """Create a user: from now on the name belongs to the authenticator that vouches for it.

        Raises:
            BadInput: no user may have such a name.
            Conflict: the name, or a look-alike, is somebody else's.
            Forbidden: users of this authenticator are not created, or a plugin refuses.
            BackendUnavailable: a plugin cannot say now what the user gets.
        """
        name, provider = ok.username, principal.credential
        check_name("username", name)
        if provider not in self._creates:
            raise Forbidden(
                f"'{provider}' knows user '{name}', but its users are not created by logging in here; "
                "ask an administrator of this server"
            )
        self._users.refuse_missing_capability("create", "create users")
        defaults = await self._ask(principal, ok)
        fields = {"email": defaults.email or ok.email, "title": defaults.title or ok.title}
        change = UserChange({key: value for key, value in fields.items() if usable(value)})
        try:
            user, created = await self._access.change(self._create, name, change, provider, defaults)
        except Conflict:
            # Of two first logins at once, the other was quicker.
            there = await self._access.read(self._server.users.get, name)
            if there is None or there.provider != provider:
                raise
            return there
        self._tell("UserCreated", principal, info, name)
        for index in created:
            self._tell("IndexCreated", principal, info, index.path)
        return user

    def _create(self, name: str, change: UserChange, provider: str, defaults: UserDefaults) -> tuple[User, list[Index]]:
        user = self._users.create(name, change, None, provider)
        try:
            return user, [self._add_index(name, index, body) for index, body in defaults.indices.items()]
        except Refusal as refusal:
            log.warning("user '%s' cannot get the indices that a plugin wants: %s", name, refusal)
            raise BackendUnavailable(
                f"user '{name}' cannot be set up: {refusal}; tell an administrator of this server"
            ) from None

    def _add_index(self, owner: str, name: str, body: Mapping[str, Any]) -> Index:
        # It is the plugin that names the bases, not who logs in: none of them is hidden from it.
        return self._indices.create(self._indices.read_creation(owner, name, dict(body)), hidden=())

    async def _ask(self, principal: Principal, ok: Ok) -> UserDefaults:
        for hook, provider in self._hooks:
            try:
                answer: object = await provider.call(hook, server=self._server, principal=principal, ok=ok)
                if not isinstance(answer, UserDefaults | None):
                    raise TypeError  # noqa: TRY301 - an answer that is none is as bad as a failure
            except Forbidden:
                raise
            except Exception as error:  # noqa: BLE001 - a stranger's code: whatever it raises stays here
                log.warning("plugin '%s' cannot set up user '%s': %s", hook.plugin, ok.username, type(error).__name__)
                sentence = f"user '{ok.username}' cannot be set up now: '{hook.plugin}' fails; try again later"
                raise BackendUnavailable(sentence, retry_after=5) from None
            if answer is not None:
                return answer
        return UserDefaults()


def usable(value: object) -> bool:
    """Whether what somebody says of a user can be shown to others: a line of text."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable()


def who_is_created(chosen: Collection[str], authenticators: Collection[str]) -> frozenset[str]:
    """Return the authenticators whose users are created, of those that ``--autocreate-users`` names.

    Raises:
        StartupError: one of the names is nobody's.
    """
    known = [*authenticators, "all", "none"]
    for name in chosen:
        if name not in known:
            raise StartupError(f"--autocreate-users: {unknown_name('authenticator', name, known)}")
    if "none" in chosen and len(chosen) > 1:
        raise StartupError("--autocreate-users: 'none' does not go with other names")
    return frozenset(authenticators) if "all" in chosen else frozenset(chosen)
