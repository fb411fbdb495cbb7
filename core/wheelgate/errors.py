"""The errors of the domain. Only ``wheelgate.http.errors`` knows which HTTP status each of them has.

::

    WheelgateError
    ├── StartupError            the server cannot start; the text says why and what to do
    └── Refusal                 the server refuses a request; the text is for its sender
        ├── BadInput            something in the request is wrong
        │   └── TooLarge        it is longer than the route accepts
        ├── NotFound            there is no such thing
        │   └── Gone            it existed, and was removed
        ├── Conflict            it exists already, or was changed in the meantime
        ├── Unsupported         this server cannot do that; the text says where to do it
        ├── NotAuthenticated    a login is needed, or the credentials are invalid
        │   └── InvalidToken    the API token has expired, was revoked, or never existed
        ├── Forbidden           the caller does not have the permission
        ├── TooManyAttempts     too many wrong passwords
        └── BackendUnavailable  a database, a login service or another backend does not answer
            ├── StorageFull     the disk is full
            ├── Damaged         a stored file is missing or damaged
            ├── BadUpstream     the answer of an upstream cannot be used
            └── UpstreamTimeout an upstream does not answer in time
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class WheelgateError(Exception):
    """The base class of all errors."""


class StartupError(WheelgateError):
    """Raised before the server listens; the process ends with exit code 1 and the text on standard error."""


class Refusal(WheelgateError):  # noqa: N818 - "refusal" is the term throughout the code
    """Raised while the server handles a request; the text becomes the ``message`` of the response.

    ``retry_after`` is the number of seconds after which the client may try again; None if it is unknown.
    ``details`` are further keys of the response, for clients whose credentials are known here: ``permission``,
    ``resource``, ``user``, ``credential``, ``rule``.
    """

    def __init__(
        self, message: str, *, retry_after: int | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        self.details = dict(details or {})


class BadInput(Refusal):
    """Raised when a request is malformed; the text names the field, what was expected and the value."""


class TooLarge(BadInput):
    """Raised when a body is longer than its route accepts."""


class NotFound(Refusal):
    """Raised when a user, an index, a package or a route does not exist.

    ``remembered_until`` is set if an upstream said so and the server does not ask it again before that time. It is UTC,
    in the form ``2026-01-31T12:00:00Z``.
    """

    def __init__(self, message: str, *, retry_after: int | None = None, remembered_until: str | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.remembered_until = remembered_until


class Gone(NotFound):
    """Raised when something existed and was removed."""


class Conflict(Refusal):
    """Raised when a name is taken, or something was changed after the client, or the server, read it."""


class Unsupported(Refusal):
    """Raised when a store or a plugin cannot do something; answered with 409, because another server or setting can."""


class NotAuthenticated(Refusal):
    """Raised when a request needs a permission and has no valid credentials."""


class InvalidToken(NotAuthenticated):
    """Raised when a request needs a permission and its API token is invalid (RFC 6750, section 3.1)."""


class Forbidden(Refusal):
    """Raised when the caller is logged in and does not have the permission."""


class TooManyAttempts(Refusal):
    """Raised after too many wrong passwords or questions; ``retry_after`` is the wait in seconds."""


class BackendUnavailable(Refusal):
    """Raised when a database, a directory or a plugin does not answer in time; ``retry_after`` is in seconds."""


class StorageFull(BackendUnavailable):
    """Raised when a change cannot be written because the disk is full."""


class Damaged(BackendUnavailable):
    """Raised when a stored file is missing, or its content has changed."""


class BadUpstream(BackendUnavailable):
    """Raised when an upstream refuses, answers with an error, or is not a package index."""


class UpstreamTimeout(BackendUnavailable):
    """Raised when an upstream cannot be reached or does not answer in time."""
