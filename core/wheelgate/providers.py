"""The providers: named objects that plugins return once at the start and that the server calls again and again.

Derive your class from the protocol of its kind, for example ``class Directory(Authenticator)``. It then inherits
the defaults below, a missing method stops the start, and a type checker knows what every method takes. A class
that is not derived works too if it has every attribute. The server checks all of that when it starts, and names the
plugin and the attribute.

The server asks providers of one kind in the order that the configuration gives, then by ``rank``, then by name.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from wheelgate.page_blocks import Block
from wheelgate.server_view import ServerView
from wheelgate.values import (
    Credentials,
    Event,
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
    """The attributes of every provider."""

    name: str
    """Unique among the providers of its kind."""
    rank: int = 100
    """The server asks providers with a lower rank first, unless the configuration gives an order."""
    instant: bool = False
    """Whether every method answers from memory, without I/O and without waiting. The server calls such a provider on
    the event loop. It calls all others in threads with a time budget, which costs about 0.1 ms."""


class CredentialExtractor(Provider, Protocol):
    """Finds credentials in a request."""

    header: str
    """The one header that it reads, in lower case. The server asks it only about requests that have the header."""
    scheme: str
    """The name of its scheme in ``WWW-Authenticate``, for example ``Basic``; empty if no client asks for it by name."""
    ambient: bool
    """Whether browsers add these credentials to requests that other sites cause. The server then refuses changes that
    another site causes."""
    browser_only: bool = False
    """Whether nothing but a browser sends these credentials. The server then refuses every change for which the browser
    does not prove that a page of this server caused it, and takes a login that has ended for none."""

    @abstractmethod
    def extract(self, request: RequestInfo) -> Credentials | None:
        """Return the credentials, or None if the request has none of this kind.

        Raises:
            NotAuthenticated: the credentials are malformed. The server then does not look for weaker ones.
        """


class Authenticator(Provider, Protocol):
    """Verifies credentials, and says whose they are."""

    accepts: frozenset[str]
    """The kinds of credentials that it checks, such as ``password``."""
    local: bool = False
    """Whether it checks against this server's own store and nothing else. The server asks only local
    authenticators about root and about local users."""

    @abstractmethod
    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Check the credentials. If it raises or takes longer than 5 s, the outcome is ``Unavailable``.

        The server calls the method of one object in several threads at once.

        Args:
            credentials: the credentials of the request, not verified yet.
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
        """Say whether the user still exists.

        The server asks about every session and API token of a user of this authenticator, and caches each answer for
        60 s. If the method raises or takes longer than 5 s, the last answer counts until it is 60 s old; after that,
        the server answers 503 to the user's requests that need a permission.
        """


class TokenHandler(Provider, Protocol):
    """Verifies API tokens, which clients send in place of a password and which have a prefix of their own."""

    prefix: str
    """Two to ten lower-case letters and a ``_``. Secret scanners recognise published tokens by it."""
    local: bool = False
    """Whether it verifies against this server's own store and nothing else. Only local handlers can verify root's
    tokens, and the server calls them in the threads of the database."""

    @abstractmethod
    def verify(self, secret: str) -> Token | Reject | Unavailable:
        """Verify a secret that begins with the prefix. The client receives the reason of a ``Reject``.

        The server caches a valid token until the stores change or the token expires. It enforces the restriction, and
        checks that the user exists with the same stamp and that the token has not expired.

        If the method raises or takes longer than 5 s, the result is ``Unavailable``.
        """


class GroupSource(Provider, Protocol):
    """Knows the groups of users.

    The server asks a source with the name of an authenticator about the users of that authenticator only, and any other
    source about every user.
    """

    live: bool = False
    """Whether the source keeps the groups in the server's own database. The server then caches answers until the
    database changes, and no longer, and calls the source in the threads of the database."""

    @abstractmethod
    def groups(self, username: str) -> frozenset[str]:
        """Return the groups of a user, empty if there are none. No name of a group may contain ``:`` or ``,``.

        The server caches an answer for 60 s, and that of a live source until the next change. If the method raises or
        takes longer than 5 s, the last answer counts until its time is over; after that, the user is in none of the
        source's groups.
        """


class PasswordHasher(Protocol):
    """Hashes passwords for the user store."""

    name: str

    @abstractmethod
    def hash(self, password: str) -> str:
        """Return the hash of a password that is not empty."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the HTTP API answers to :attr:`RouteRequest.ask`."""

    status: int
    document: Any
    """The decoded JSON body; None if the body is empty or not JSON."""
    headers: Mapping[str, str] = field(default_factory=empty_mapping)
    """The names are in lower case."""

    @property
    def result(self) -> Any:
        """The key ``result`` of the document; None if it has none."""
        return self.document.get("result") if isinstance(self.document, Mapping) else None

    @property
    def message(self) -> str:
        """The key ``message`` of the document, such as the sentence of a refusal; empty if it has none."""
        return str(self.document.get("message", "")) if isinstance(self.document, Mapping) else ""


class Ask(Protocol):
    """Asks the HTTP API."""

    def __call__(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request to the server's own HTTP API, as the caller of this one and from the same address.

        So a page can do and see what its caller can, and nothing else. Refusals are answers, not exceptions. Call it in
        a thread only: a handler that promises to be instant must not.

        Args:
            method: the method; one that changes something needs a request that changes something.
            path: the path, percent-encoded, with a query if needed.
            body: the JSON body; None sends no body.
        """


def refuse_to_ask(method: str, path: str, body: Any = None) -> Answer:
    """Raise ``RuntimeError``: the request was made by a test, and no server is there."""
    raise RuntimeError(f"there is no server to ask for {method} {path}")


@dataclass(frozen=True, slots=True)
class PageError:
    """The refusal or fault that an error page shows."""

    status: int
    message: str
    """The sentence for the caller, which is also in the JSON answer."""


def no_blocks(request: RouteRequest, place: str, subject: str) -> Sequence[Block]:
    """Return no block."""
    return ()


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """The argument of the handler of a route or a page."""

    request: RequestInfo
    principal: Principal
    params: Mapping[str, str]
    """The values of the placeholders in the path, by name."""
    query: Mapping[str, str]
    body: Any
    """The decoded JSON body; None if the request has none."""
    confirm: Callable[[], None]
    """Asks again whether the caller may use the route, and raises the refusal if not: the login may have ended while
    the body arrived. Call it first inside the transaction that records a change."""
    view: ServerView
    """What the caller may see of users, indices and packages."""
    form: Mapping[str, str] = field(default_factory=empty_mapping)
    """The fields of the form by name, of a route with ``form=True``; their text is not checked."""
    base_url: str = ""
    """The server's address as the client must write it, without a slash at the end: ``https://packages.example/sub``.
    Empty in an error page if the request does not have an acceptable one."""
    ask: Ask = refuse_to_ask
    error: PageError | None = None
    """What went wrong; None except in an error page."""
    collect_blocks: Callable[[RouteRequest, str, str], Sequence[Block]] = no_blocks
    """Makes :meth:`blocks`."""

    def blocks(self, place: str, subject: str = "") -> Sequence[Block]:
        """Return the blocks of ``wheelgate_page_blocks`` for a page, in order: show them below its own content."""
        return self.collect_blocks(self, place, subject)

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies by name."""
        return self.request.cookies


@dataclass(frozen=True, slots=True)
class RouteEvent:
    """An event that the handler of a route reports to listeners."""

    name: str
    subject: str
    """The user, index or other object that it is about."""
    detail: Mapping[str, Any] = field(default_factory=empty_mapping)
    """Details of the change; never a secret."""


@dataclass(frozen=True, slots=True)
class RouteResponse:
    """The answer of a route or a page. The server writes it in its wire format, unless it has a media type."""

    result: Any = None
    """JSON; the response contains it only if ``type`` is set."""
    type: str = ""
    """Names the form of the result for clients, such as ``userconfig``."""
    message: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=empty_mapping)
    events: Sequence[RouteEvent] = ()
    """Events to announce; their changes must already be committed."""
    body: bytes = b""
    """The body, if ``media_type`` is set; ``result``, ``type`` and ``message`` then have no meaning."""
    media_type: str = ""
    """The ``Content-Type`` of ``body``, such as ``text/html; charset=utf-8``; empty for the wire format."""


@dataclass(frozen=True, slots=True)
class Route:
    """One address that a plugin serves: ``/+x/<plugin>/…``."""

    method: str
    path: str
    """The part after ``/+x/<plugin>``: ``/report`` or ``/report/{user}``."""
    handler: Callable[[RouteRequest], RouteResponse]
    """The server calls it in a thread. It raises one of ``wheelgate.errors`` to refuse."""
    permission: str = ""
    """The permission on the server that a caller needs. Required unless ``public``."""
    public: bool = False
    """Whether anyone may call it; callers with an API token may only read."""
    summary: str = ""
    """One line for the OpenAPI document."""
    schema: Mapping[str, Any] = field(default_factory=empty_mapping)
    """The JSON Schema of the body for the OpenAPI document; empty if the route takes no body."""
    form: bool = False
    """Whether the body is a form (``application/x-www-form-urlencoded``) of at most 1 MB and 100 fields, not JSON."""
    same_origin: bool = False
    """Whether the browser must prove that a page of this server caused the request; needed for forms that change
    something without credentials, such as a login."""
    open: bool = False
    """Whether ``--require-login`` leaves it open; the route must be public, and its path without placeholders."""

    def address(self, plugin: str) -> str:
        """Return the whole path, ``/+x/<plugin>/…``."""
        return f"/+x/{plugin}{self.path}".rstrip("/")


@dataclass(frozen=True, slots=True)
class Job:
    """Work that a plugin does in the background, in a thread of each worker."""

    name: str
    """For messages and the name of the thread."""
    run: Callable[[Callable[[], bool]], None]
    """Does the work. It gets a function that says whether the worker is about to stop; a run that takes longer than a
    second calls it now and then, and returns when it says so. Every worker of every server runs the job: only a lock in
    the database keeps two of them from doing the same."""
    every_seconds: float
    """Seconds from the end of one run to the start of the next."""
    wake: threading.Event = field(default_factory=threading.Event)
    """Set it, for example on an event, to run the job at once."""
    events: frozenset[str] = frozenset()
    """The names of the events for :attr:`notice`."""
    notice: Callable[[Event], None] | None = None
    """Gets these events as ``wheelgate_on_event`` does, in the same thread. It remembers what to do, and wakes the
    job."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page for people at one of the server's own addresses, where all other clients go on getting JSON."""

    address: str
    """One of ``/``, ``/{user}``, ``/{user}/{index}``, ``/{user}/{index}/{project}``,
    ``/{user}/{index}/{project}/{version}``, ``/{user}/{index}/+why/{project}``; or ``error``, for refusals."""
    handler: Callable[[RouteRequest], RouteResponse]
    """The server calls it for GET and HEAD, in a thread. It raises one of ``wheelgate.errors`` to refuse; that of
    ``error`` must not."""
    instant: bool = False
    """Whether the handler answers from memory and never waits; the server then calls it on the event loop."""
    kept: bool = False
    """Whether the page of an anonymous reader depends on nothing but the address, the query and the database. While no
    index is private and no plugin decides who may read, the server then keeps it until the database changes."""
