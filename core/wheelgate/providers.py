"""The objects that plugins register: named, asked again and again, in the order that the configuration gives.

Every provider may say ``instant = True``: it promises to answer from memory, without I/O and without waiting, and is
then called on the event loop. All others are called in threads with a time budget, which costs some 0.1 ms.

Providers of one kind are ordered by the configuration, then by ``rank`` (100 if they have none), then by name.
"""

from __future__ import annotations

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
    nothing,
)


class CredentialExtractor(Protocol):
    """Finds credentials in a request."""

    name: str
    header: str
    """The one header that it reads, in lower case; it is asked only about requests that have it."""
    scheme: str
    """What ``WWW-Authenticate`` calls it, for example ``Basic``; empty if no client asks for it by name."""
    ambient: bool
    """True if browsers add these credentials to requests that other sites cause; such changes are refused."""

    def extract(self, request: RequestInfo) -> Credentials | None:
        """Return the credentials, or None if the request has none of this kind.

        Raise ``NotAuthenticated`` for malformed ones: they never fall through to a weaker kind.
        """


class Authenticator(Protocol):
    """Says whose credentials these are."""

    name: str
    accepts: frozenset[str]
    """The kinds of credentials it is asked about."""
    local: bool
    """True if it checks against this server's own store and nothing else. Only such a one is asked about root."""

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Judge the credentials; ``user`` is what the store knows under that name.

        To raise, or to take longer than the time budget (5 s), counts as ``Unavailable``.
        """


@runtime_checkable
class UserDirectory(Protocol):
    """What an authenticator can be besides: one who knows whether a user whom it brought is still there.

    Without it, who leaves stays logged in until the session is over.
    """

    name: str

    def exists(self, username: str) -> bool:
        """Say whether the user is still there; asked for every session and API token of a user whom it brought.

        Answers are kept for 60 s. If it raises or takes too long, the last answer holds until its time is over, and
        that user's requests are then answered with 503 where they need a right.
        """


class TokenHandler(Protocol):
    """Judges API tokens, which are sent in place of a password and recognised by how they begin."""

    name: str
    prefix: str
    """Two to ten letters and a ``_``, by which secret scanners too find what was published by mistake."""
    local: bool
    """True if it checks against this server's own store and nothing else. Only such a one is believed about root; it is
    asked in the database's own threads."""

    def verify(self, secret: str) -> Token | Reject | Unavailable:
        """Judge a secret that begins with the prefix; the reason of a ``Reject`` is told to who sent it.

        A good token is remembered until something changes in the stores, or until it expires. The core holds it to
        its restriction, and sees itself that the user is there with the same stamp and that the time is not over.

        To raise, or to take longer than the time budget (5 s), counts as ``Unavailable``.
        """


class GroupSource(Protocol):
    """Knows groups of users.

    One that has the name of an authenticator is asked about the users whom that one brought, and about nobody else;
    any other is asked about everybody. One that says ``live = True`` keeps its groups in the server's database: its
    answers hold until anything changes there, and no longer, and it is asked in the database's own threads.
    """

    name: str

    def groups(self, username: str) -> frozenset[str]:
        """Return the groups of a user, without ``:`` and ``,``; empty if it knows none.

        Answers are kept for 60 s, those of a live source until the next change. If it raises or takes too long, the
        last answer holds until its time is over, and the user is then in none of its groups.
        """


class PasswordHasher(Protocol):
    """Turns passwords into what is stored."""

    name: str

    def hash(self, password: str) -> str:
        """Return the hash; never called with an empty password."""


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """What a plugin's route is called with."""

    request: RequestInfo
    principal: Principal
    params: Mapping[str, str]
    """The parts of the path that the template names."""
    query: Mapping[str, str]
    body: Any
    """The decoded JSON body; None if there was none."""


@dataclass(frozen=True, slots=True)
class RouteEvent:
    """Something that happened while a plugin's route was called, for the listeners to events."""

    name: str
    subject: str
    """What it happened to."""
    detail: Mapping[str, Any] = field(default_factory=nothing)
    """What changed; never a secret."""


@dataclass(frozen=True, slots=True)
class RouteResponse:
    """What a plugin's route answers: written as the wire format wants it."""

    result: Any = None
    type: str = ""
    message: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=nothing)
    events: Sequence[RouteEvent] = ()
    """What happened and is committed."""


@dataclass(frozen=True, slots=True)
class Route:
    """One address that a plugin serves: ``/+x/<plugin>/…``."""

    method: str
    path: str
    """What follows ``/+x/<plugin>``: ``/report`` or ``/report/{user}``."""
    handler: Callable[[RouteRequest], RouteResponse]
    """Called in a thread. Raise one of ``wheelgate.errors`` to refuse."""
    permission: str = ""
    """The permission on the server that is asked for first. Needed unless ``public``."""
    public: bool = False
    summary: str = ""
    """What it does, for the OpenAPI document."""
    schema: Mapping[str, Any] = field(default_factory=nothing)
    """JSON Schema of the body, for the same; empty if it takes none."""

    def address(self, plugin: str) -> str:
        """Return the whole path."""
        return f"/+x/{plugin}{self.path}".rstrip("/")
