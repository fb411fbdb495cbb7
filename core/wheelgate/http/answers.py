"""The wire format of an answer: JSON with two spaces and a newline, and the headers that every answer has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

import falcon.asgi
import orjson

from wheelgate.http.request import HEAD, PRIVATE
from wheelgate.store.access import StoreAccess

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

JSON = "application/json"
"""Without charset: the incumbent's client compares the Content-Type with this very string."""
PLAIN = "text/plain; charset=utf-8"
"""For answers without a body, which are no JSON."""
LONGEST_REASON = 500
CACHE_CONTROL = b"cache-control"
NOT_MODIFIED = int(HTTPStatus.NOT_MODIFIED)


def encode(document: Any) -> bytes:
    """Encode a JSON document."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def answer(
    resp: falcon.asgi.Response,
    result: Any = None,
    kind: str = "",
    message: str = "",
    status: int = 200,
) -> None:
    """Answer with a result and its type, a message, or both."""
    document: dict[str, Any] = {}
    if kind:
        document = {"result": result, "type": kind}
    if message:
        document["message"] = message
    resp.data = encode(document)
    resp.status_code = status


def give_reason(resp: falcon.asgi.Response, sentence: str) -> None:
    """Say why also in the status line, for tools that show nothing else; the worker takes it from this header."""
    shown = "".join(character if " " <= character <= "~" else "?" for character in sentence[:LONGEST_REASON])
    resp.set_header("x-wheelgate-reason", shown)


def private(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer so that no shared cache keeps it (RFC 9111, section 5.2.2.7)."""
    kept = [header for header in headers if header[0] != CACHE_CONTROL]
    said = b", ".join(value for name, value in headers if name == CACHE_CONTROL) or b"no-cache"
    directives = [part for part in said.split(b", ") if part != b"public"]
    return [*kept, (CACHE_CONTROL, b", ".join([*directives, b"private"]))]


class CommonHeaders:
    """Puts on every answer what clients and browsers look for; wraps the application."""

    def __init__(self, app: Callable[..., Awaitable[None]], version: str, uuid: str, access: StoreAccess) -> None:
        self._app = app
        self._access = access
        self._fixed = (
            (b"x-devpi-api-version", b"2"),
            (b"x-devpi-server-version", version.encode()),
            (b"x-devpi-uuid", uuid.encode()),
            (b"x-devpi-master-uuid", uuid.encode()),
            (b"x-devpi-primary-uuid", uuid.encode()),
            (b"x-content-type-options", b"nosniff"),
        )
        self._now: tuple[int, Sequence[tuple[bytes, bytes]], bytes] = (-1, (), b"")

    def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""

        def send_with_headers(message: dict[str, Any]) -> Awaitable[None]:
            if message["type"] != "http.response.start":
                return send(message)
            if PRIVATE in scope:
                message["headers"] = private(message["headers"])
            # To a 304 the client adds the headers that it has (RFC 9110, section 15.4.5); each costs 1 % of the answer.
            if message["status"] != NOT_MODIFIED:
                headers, lines = self._common()
                if HEAD in scope:  # PERF: gunicorn looks at each header twice, for 7 % of a page
                    scope[HEAD](lines)
                else:
                    message["headers"] = [*message["headers"], *headers]
            return send(message)

        return self._app(scope, receive, send_with_headers)

    def _common(self) -> tuple[Sequence[tuple[bytes, bytes]], bytes]:
        """Return the headers, also as lines."""
        known, headers, lines = self._now
        serial = self._access.serial
        if serial != known:
            headers = (*self._fixed, (b"x-devpi-serial", b"%d" % serial))
            lines = b"".join(b"%s: %s\r\n" % header for header in headers)
            self._now = (serial, headers, lines)
        return headers, lines
