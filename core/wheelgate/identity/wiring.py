"""Creates the parts that identify the sender of a request, and connects them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from wheelgate.identity.accounts import Accounts, CreateUser
from wheelgate.identity.authentication import Authentication
from wheelgate.identity.external_users import ExternalUsers
from wheelgate.identity.groups import GroupLookup
from wheelgate.identity.identify import Identifier
from wheelgate.identity.limiter import Limiter
from wheelgate.identity.logged_names import LoggedNames
from wheelgate.identity.renewal import Renewal
from wheelgate.identity.sessions import Sessions
from wheelgate.identity.tokens import ApiTokens
from wheelgate.metrics.counting import Numbers
from wheelgate.plugin_host import budgets, provider_hooks
from wheelgate.plugin_host.circuit import CircuitBreaker
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.providers import Authenticator, CredentialExtractor, GroupSource, Provider, TokenHandler
from wheelgate.server import Server
from wheelgate.store.access import StoreAccess
from wheelgate.store.cached_users import CachedUsers
from wheelgate.store.keys import derive_key
from wheelgate.store.server_state import ServerState
from wheelgate.threads.pool import ThreadPool
from wheelgate.threads.ranked_pool import RankedPool
from wheelgate.values import Principal, RequestInfo, Token

AnyProvider = TypeVar("AnyProvider", bound=Provider)

AnnounceEvent = Callable[[str, Principal, RequestInfo, str, dict[str, str]], None]
"""Announces an event: its name, principal, request, subject and detail."""


@dataclass(frozen=True, slots=True)
class LoginProviders:
    """The providers that identify the sender of a request, in the order in which the server asks them."""

    extractors: Sequence[tuple[CredentialExtractor, CircuitBreaker]]
    authenticators: Sequence[tuple[Authenticator, CircuitBreaker]]
    token_handlers: Sequence[tuple[TokenHandler, CircuitBreaker]]
    group_sources: Sequence[tuple[GroupSource, CircuitBreaker]]

    @property
    def breakers(self) -> list[CircuitBreaker]:
        """The circuit breakers of all providers."""
        kinds: list[Sequence[tuple[Provider, CircuitBreaker]]] = [
            self.extractors,
            self.authenticators,
            self.token_handlers,
            self.group_sources,
        ]
        return [breaker for kind in kinds for _, breaker in kind]

    @property
    def authenticator_names(self) -> list[str]:
        """The names of the authenticators."""
        return [authenticator.name for authenticator, _ in self.authenticators]


@dataclass(frozen=True, slots=True)
class Identity:
    """The parts that identify the sender of a request, as far as resources use them."""

    identifier: Identifier
    accounts: Accounts
    authentication: Authentication
    sessions: Sessions
    state: ServerState
    renewal: Renewal


def login_providers(plugins: Plugins, server: Server, storing: ThreadPool) -> LoginProviders:
    """Collect the providers; those that ask only the server's own database run in its threads, ``storing``.

    Raises:
        StartupError: a provider breaks its protocol, two have the same name, or the configuration names one that
            does not exist.
    """
    return LoginProviders(
        [_guarded(each, budgets.POLICY_SECONDS) for each in provider_hooks.credential_extractors(plugins, server)],
        [_guarded(each, budgets.AUTHENTICATOR_SECONDS) for each in provider_hooks.authenticators(plugins, server)],
        [
            _guarded(each, budgets.AUTHENTICATOR_SECONDS, storing if each.local else None)
            for each in provider_hooks.token_handlers(plugins, server)
        ],
        [
            _guarded(each, budgets.AUTHENTICATOR_SECONDS, storing if each.live else None)
            for each in provider_hooks.group_sources(plugins, server)
        ],
    )


def _guarded(
    provider: AnyProvider, budget_seconds: float, pool: ThreadPool | None = None
) -> tuple[AnyProvider, CircuitBreaker]:
    # A provider that exceeds its budget is left out at once, so that its users wait for the whole budget once in 30 s.
    return provider, CircuitBreaker(
        provider.name, budget_seconds, instant=provider.instant, timeouts_until_open=1, pool=pool
    )


def wire_identity(
    providers: LoginProviders,
    server: Server,
    access: StoreAccess,
    users: CachedUsers,
    hashing: ThreadPool,
    create_user: CreateUser,
    announce: AnnounceEvent,
    numbers: Numbers,
) -> Identity:
    """Put the parts together.

    Args:
        providers: the providers to ask.
        server: the server with its stores.
        access: reaches the stores.
        users: the users, from the cache where that is possible.
        hashing: the threads of local authenticators.
        create_user: creates the user of a person who logs in for the first time.
        announce: announces the event that a token was used.
        numbers: counts logins.
    """

    def announce_use(token: Token, info: RequestInfo) -> None:
        announce("TokenUsed", Principal(token.username), info, token.username, {"token": token.id})

    state = ServerState(server.database)
    secret = server.config.read_secret()
    sessions = Sessions(secret, state, server.config["session-lifetime"])
    logged_names = LoggedNames(derive_key(secret, "logged names"))
    ranked = RankedPool(hashing, server.config["hash-concurrency"])
    external = [authenticator.name for authenticator, _ in providers.authenticators if not authenticator.local]
    tokens = ApiTokens(providers.token_handlers, users, access, derive_key(secret, "remembered tokens"), announce_use)
    groups = GroupLookup(providers.group_sources, external)
    accounts = Accounts(users, state, access, groups, ExternalUsers(providers.authenticators), create_user)
    authentication = Authentication(
        providers.authenticators,
        ranked,
        Limiter(),
        derive_key(secret, "remembered"),
        logged_names,
        accounts.find,
        numbers,
    )
    identifier = Identifier(providers.extractors, authentication, sessions, tokens, accounts)
    renewal = Renewal(server.users, state, accounts, sessions, tokens, groups)
    return Identity(identifier, accounts, authentication, sessions, state, renewal)
