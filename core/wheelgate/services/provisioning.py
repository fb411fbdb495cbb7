"""Users of external authenticators: created here at their first login, with the defaults that plugins give them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from wheelgate.config import unknown_name
from wheelgate.errors import BackendUnavailable, Conflict, Forbidden, Refusal, StartupError
from wheelgate.names import check_name
from wheelgate.plugin_host.circuit import CircuitBreaker
from wheelgate.plugin_host.discovery import Implementation
from wheelgate.plugin_host.failures import failure_text
from wheelgate.server import Server
from wheelgate.services.index_json import read_new_index
from wheelgate.services.indices import Indices
from wheelgate.services.users import UserChange, Users
from wheelgate.store.access import StoreAccess
from wheelgate.values import Index, Ok, Principal, RequestInfo, User, UserDefaults

MAX_PROFILE_FIELD_CHARS = 1000
"""Characters of an email address or title from a login service; longer ones are ignored."""

AnnounceCreation = Callable[[str, Principal, RequestInfo, str], None]
"""Announces an event: its name, principal, request and subject."""

log = logging.getLogger("wheelgate.users")


class Provisioning:
    """Creates the user of a person for whom an authenticator vouches."""

    def __init__(
        self,
        server: Server,
        users: Users,
        indices: Indices,
        access: StoreAccess,
        hooks: Sequence[tuple[Implementation, CircuitBreaker]],
        autocreating: Collection[str],
        announce: AnnounceCreation,
    ) -> None:
        """Take the parts, the plugins to ask for defaults, and the authenticators whose users are created."""
        self._server = server
        self._users = users
        self._indices = indices
        self._access = access
        self._hooks = hooks
        self._autocreating = autocreating
        self._announce = announce

    async def provision(self, ok: Ok, principal: Principal, info: RequestInfo) -> User:
        """Create a user: from now on the name belongs to the authenticator that vouches for it.

        Raises:
            BadInput: the name is not a valid user name.
            Conflict: another user has the name, or one that looks like it.
            Forbidden: users of this authenticator are not created, or a plugin refuses.
            BackendUnavailable: a plugin cannot give the user's defaults now, or gives indices that cannot be created.
        """
        name, provider = ok.username, principal.credential
        check_name("username", name)
        if provider not in self._autocreating:
            raise Forbidden(
                f"'{provider}' knows user '{name}', but a login here does not create its users; "
                "ask an administrator of this server"
            )
        self._users.refuse_missing_capability("create", "create users")
        defaults = await self._defaults(principal, ok)
        fields = {"email": defaults.email or ok.email, "title": defaults.title or ok.title}
        change = UserChange({key: value for key, value in fields.items() if is_displayable(value)})
        try:
            user, created = await self._access.change(self._create, name, change, provider, defaults)
        except Conflict:
            # Of two first logins at the same time, the other one may have created the user.
            existing = await self._access.read(self._server.users.get, name)
            if existing is None or existing.provider != provider:
                raise
            return existing
        self._announce("UserCreated", principal, info, name)
        for index in created:
            self._announce("IndexCreated", principal, info, index.path)
        return user

    def _create(self, name: str, change: UserChange, provider: str, defaults: UserDefaults) -> tuple[User, list[Index]]:
        user = self._users.create(name, change, None, provider)
        try:
            return user, [self._add_index(name, index, body) for index, body in defaults.indices.items()]
        except Refusal as refusal:
            log.warning("the indices that a plugin gives user '%s' cannot be created: %s", name, refusal)
            raise BackendUnavailable(
                f"user '{name}' cannot be set up: {refusal}; tell an administrator of this server"
            ) from None

    def _add_index(self, owner: str, name: str, body: Mapping[str, Any]) -> Index:
        # The plugin chooses the bases, not the user who logs in, so none of them is hidden.
        return self._indices.create(read_new_index(self._indices.types, owner, name, dict(body)), hidden=())

    async def _defaults(self, principal: Principal, ok: Ok) -> UserDefaults:
        for hook, breaker in self._hooks:
            try:
                answer: object = await breaker.call(hook, server=self._server, principal=principal, ok=ok)
                if not isinstance(answer, UserDefaults | None):
                    raise TypeError  # noqa: TRY301 - an answer of another type counts as a failure
            except Forbidden:
                raise
            except Exception as error:  # noqa: BLE001 - third-party code; a failure refuses this login only
                log.warning("plugin '%s' cannot set up user '%s': %s", hook.plugin, ok.username, failure_text(error))
                sentence = f"user '{ok.username}' cannot be set up now: '{hook.plugin}' fails; try again later"
                raise BackendUnavailable(sentence, retry_after=5) from None
            if answer is not None:
                return answer
        return UserDefaults()


def is_displayable(value: object) -> bool:
    """Return whether other users can see an email address or title from elsewhere: it must be one line of text."""
    return isinstance(value, str) and 0 < len(value) <= MAX_PROFILE_FIELD_CHARS and value.isprintable()


def autocreating_authenticators(chosen: Collection[str], authenticators: Collection[str]) -> frozenset[str]:
    """Return the authenticators whose users are created at their first login, as ``--autocreate-users`` chooses.

    Raises:
        StartupError: a chosen name is not that of an authenticator, ``all`` or ``none``.
    """
    known = [*authenticators, "all", "none"]
    for name in chosen:
        if name not in known:
            raise StartupError(f"--autocreate-users: {unknown_name('authenticator', name, known)}")
    if "none" in chosen and len(chosen) > 1:
        raise StartupError("--autocreate-users: 'none' cannot be combined with other names")
    return frozenset(authenticators) if "all" in chosen else frozenset(chosen)
