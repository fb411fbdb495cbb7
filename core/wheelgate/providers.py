"""The providers: named objects that plugins return once at the start and that the server calls again and again.

Derive your class from the protocol of its kind, for example ``class Directory(Authenticator)``. It then has the
defaults that stand below, a missing method stops the start, and a type checker knows what every method takes. A class
that is not derived works too if it has every attribute. The server checks all of that when it starts, and names the
plugin and the attribute.

Providers of one kind are asked in the order that the configuration gives, then by ``rank``, then by name.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from wheelgate.values import (
    Credentials,
    Outcome,
    Principal,
    Reject,
    RequestInfo,
    Token,
    Unavailable,
    User,
    empty_mapping,
)


class Provider(Protocol):
    """What every provider has, whatever its kind."""

    name: str
    """Unique among the providers of its kind."""
    rank: int = 100
    """Providers with a lower rank are asked earlier, unless the configuration gives an order."""
    instant: bool = False
    """Whether every method answers from memory, without I/O and without waiting. Such a provider is called on the event
    loop. All others are called in threads with a time budget, which costs about 0.1 ms."""


class CredentialExtractor(Provider, Protocol):
    """Finds credentials in a request."""

    header: str
    """The one header that it reads, in lower case. It is asked only about requests that have the header."""
    scheme: str
    """The name of its scheme in ``WWW-Authenticate``, for example ``Basic``; empty if no client asks for it by name."""
    ambient: bool
    """Whether browsers add these credentials to requests that other sites cause. The server refuses such changes."""

    @abstractmethod
    def extract(self, request: RequestInfo) -> Credentials | None:
        """Return the credentials, or None if the request has none of this kind.

        Raises:
            NotAuthenticated: the credentials are malformed. The server then does not look for weaker ones.
        """


class Authenticator(Provider, Protocol):
    """Checks whose credentials these are."""

    accepts: frozenset[str]
    """The kinds of credentials that it checks, such as ``password``."""
    local: bool = False
    """Whether it checks against this server's own store and nothing else. Only local authenticators are asked about
    root and about local users."""

    @abstractmethod
    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Check the credentials. If it raises or takes longer than 5 s, the outcome is ``Unavailable``.

        Args:
            credentials: what the request says about its sender.
            request: the request.
            user: the user of that name on this server, if there is one.
        """


@runtime_checkable
class UserDirectory(Protocol):
    """An authenticator that can also tell whether one of its users still exists.

    Without it, users who leave the directory stay logged in until their session ends.
    """

    name: str

    @abstractmethod
    def exists(self, username: str) -> bool:
        """Tell whether the user still exists; asked for every session and API token of a user of this authenticator.

        The server remembers each answer for 60 s. If the method raises or takes longer than 5 s, the last answer counts
        until its time is over; after that, the server answers the user's requests that need a right with 503.
        """


class TokenHandler(Provider, Protocol):
    """Verifies API tokens, which clients send in place of a password and which have a prefix of their own."""

    prefix: str
    """Two to ten lower-case letters and a ``_``. Secret scanners find tokens by it that were published by mistake."""
    local: bool = False
    """Whether it verifies against this server's own store and nothing else. Only local handlers can verify root's
    tokens, and they are called in the threads of the database."""

    @abstractmethod
    def verify(self, secret: str) -> Token | Reject | Unavailable:
        """Verify a secret that begins with the prefix. Its sender gets to read the reason of a ``Reject``.

        The server remembers a good token until the stores change or the token expires. It enforces the restriction, and
        checks that the user exists with the same stamp and that the token has not expired.

        If the method raises or takes longer than 5 s, the result is ``Unavailable``.
        """


class GroupSource(Provider, Protocol):
    """Knows the groups of users.

    A source with the name of an authenticator is asked about the users of that authenticator only. Any other source is
    asked about every user.
    """

    live: bool = False
    """Whether the groups are kept in the server's own database. Answers are then remembered until the database changes,
    and no longer, and the source is called in the threads of the database."""

    @abstractmethod
    def groups(self, username: str) -> frozenset[str]:
        """Return the groups of a user, empty if there are none. No name of a group may contain ``:`` or ``,``.

        The server remembers an answer for 60 s, and that of a live source until the next change. If the method raises
        or takes longer than 5 s, the last answer counts until its time is over; after that, the user is in none of its
        groups.
        """


class PasswordHasher(Protocol):
    """Hashes passwords for the store of users."""

    name: str

    @abstractmethod
    def hash(self, password: str) -> str:
        """Return the hash of a password that is not empty."""


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """The argument of a route's handler."""

    request: RequestInfo
    principal: Principal
    params: Mapping[str, str]
    """The values of the template's parts, by name."""
    query: Mapping[str, str]
    body: Any
    """The decoded JSON body; None if the request has none."""


@dataclass(frozen=True, slots=True)
class RouteEvent:
    """Something that a plugin's route did, for listeners to events."""

    name: str
    subject: str
    """The user, index or other thing that it is about."""
    detail: Mapping[str, Any] = field(default_factory=empty_mapping)
    """What changed; never a secret."""


@dataclass(frozen=True, slots=True)
class RouteResponse:
    """The answer of a route. The server writes it in its wire format."""

    result: Any = None
    type: str = ""
    message: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=empty_mapping)
    events: Sequence[RouteEvent] = ()
    """Events to publish; the changes are already committed."""


@dataclass(frozen=True, slots=True)
class Route:
    """One address that a plugin serves: ``/+x/<plugin>/…``."""

    method: str
    path: str
    """The part after ``/+x/<plugin>``: ``/report`` or ``/report/{user}``."""
    handler: Callable[[RouteRequest], RouteResponse]
    """Called in a thread. Raise one of ``wheelgate.errors`` to refuse."""
    permission: str = ""
    """The permission on the server that a caller needs. Required unless ``public``."""
    public: bool = False
    """Whether everybody may call it; callers with an API token may only read."""
    summary: str = ""
    """One line for the OpenAPI document."""
    schema: Mapping[str, Any] = field(default_factory=empty_mapping)
    """The JSON Schema of the body for the OpenAPI document; empty if the route takes no body."""

    def address(self, plugin: str) -> str:
        """Return the whole path."""
        return f"/+x/{plugin}{self.path}".rstrip("/")
