"""The errors of the client; the text of each is a sentence for the terminal.

ClientError                 printed in one line, exit code 1
├── UsageError              the command line itself is wrong, exit code 2
├── DamagedFileError        a release file is cut off or broken
├── StateError              a file of the client cannot be read, understood or written
├── UnreachableError        the server does not respond
├── NotAnIndexServerError   the response does not come from an index server
└── RefusedError            the server refuses the request, and says why
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def os_reason(error: OSError) -> str:
    """Return the message of the operating system; the errors of py.path carry it as the docstring of their class."""
    return error.strerror or type(error).__doc__ or str(error)


class ClientError(Exception):
    """Raised when a command cannot be done; the text says what failed, why, and what to do next."""


class UsageError(ClientError):
    """Raised when the command line cannot be understood."""


class DamagedFileError(ClientError):
    """Raised when a release file is cut off or broken."""


class StateError(ClientError):
    """Raised when a file of the client cannot be read, understood or written. The file is left as it was."""


class UnreachableError(ClientError):
    """Raised when the server refuses connections, its name is unknown, it times out, or its response breaks off."""

    def __init__(self, url: str, reason: str, advice: str = "is the server running, and is the URL right?") -> None:
        super().__init__(f"could not connect to '{url}': {reason}; {advice}")


class NotAnIndexServerError(ClientError):
    """Raised when the server does not speak the protocol of an index server."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"'{url}' is not an index server: {reason}; check the URL given to 'devpi use'")


class RefusedError(ClientError):
    """Raised when the server responds with a status of 400 or more."""

    def __init__(
        self, method: str, url: str, status: int, phrase: str, message: str, hint: str, content: Mapping[str, Any]
    ) -> None:
        self.status = status
        self.reasons = [text for text in (phrase, "" if phrase.endswith(message) else message) if text]
        """The server's reasons from the status line and the body; one entry if the first contains the second."""
        self.hint = hint
        self.content = content
        """The JSON object in the body, empty if there was none."""
        self.summary = f"{status} {': '.join(self.reasons)}".strip() + (f" {hint}" if hint else "")
        """The status line and the server's reason, ``404 Not Found: no user 'bob'``."""
        super().__init__(f"{method} {url}\n{self.summary}")
