"""What can go wrong, in the words of the domain; HTTP learns of it in ``wheelgate.http.errors`` alone.

::

    WheelgateError
    ├── StartupError            the server cannot start: the text says why and what to do
    └── Refusal                 a request is refused: the text is for the one who asked
        ├── BadInput            something in the request is wrong
        │   └── TooLarge        it is longer than the route takes
        ├── NotFound            there is no such thing
        │   └── Gone            there was one, and it was removed
        ├── Conflict            it exists already, or has changed meanwhile
        ├── Unsupported         this server does not do that
        ├── NotAuthenticated    it needs a login, or the one given is not good
        │   └── InvalidToken    the API token given has expired, was revoked, or never was one
        ├── Forbidden           the one who asks may not
        ├── TooManyAttempts     too many wrong passwords
        └── BackendUnavailable  something behind the server does not answer
            ├── StorageFull     no space is left
            ├── Damaged         a stored file is missing, or not what it was
            ├── BadUpstream     an upstream answers what cannot be used
            └── UpstreamTimeout an upstream does not answer in time
"""

from __future__ import annotations


class WheelgateError(Exception):
    """The root of this tree."""


class StartupError(WheelgateError):
    """Raised before the server listens; ends it with exit code 1 and the text on standard error."""


class Refusal(WheelgateError):  # noqa: N818 - what it is called in the whole domain
    """Raised while a request is answered; the text becomes the answer's ``message``."""

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class BadInput(Refusal):
    """Raised when a request says something that cannot be meant: the text names field, expectation and value."""


class TooLarge(BadInput):
    """Raised when a body is longer than its route takes."""


class NotFound(Refusal):
    """Raised when a user, an index, a package or a route does not exist."""


class Gone(NotFound):
    """Raised when what is asked for was there and has been removed."""


class Conflict(Refusal):
    """Raised when a name is taken, or when what is changed has been replaced since it was read."""


class Unsupported(Refusal):
    """Raised when a store or a plugin lacks the capability; the text says where it is to be done instead."""


class NotAuthenticated(Refusal):
    """Raised when a right is needed and the request proves nobody."""


class InvalidToken(NotAuthenticated):
    """Raised when a right is needed and the API token that was sent is not good (RFC 6750, section 3.1)."""


class Forbidden(Refusal):
    """Raised when it is clear who asks, and the answer is no."""


class TooManyAttempts(Refusal):
    """Raised when wrong passwords come faster than the limiter lets them; ``retry_after`` is in seconds."""


class BackendUnavailable(Refusal):
    """Raised when a database, a directory or a plugin does not answer in time."""


class StorageFull(BackendUnavailable):
    """Raised when a change cannot be written because the disk is full."""


class Damaged(BackendUnavailable):
    """Raised when a stored file is missing, or its content is no longer what it was."""


class BadUpstream(BackendUnavailable):
    """Raised when an upstream refuses, answers with an error, or answers what is no package index."""


class UpstreamTimeout(BackendUnavailable):
    """Raised when an upstream is not reached, or does not answer in time."""
