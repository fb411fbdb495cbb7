"""The wire format of an answer: JSON with two spaces and a newline, and the headers that every answer has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

import falcon.asgi
import orjson

from wheelgate.http.proxy_headers import ProxyHeaders
from wheelgate.http.scope import (
    ADD_HEAD_LINES,
    MAX_REASON_PHRASE_BYTES,
    PRIVATE_RESPONSE,
    REASON_PHRASE_HEADER,
    REQUEST_ID,
)
from wheelgate.logs import REQUEST_ID as LOGGED_REQUEST_ID
from wheelgate.store.access import StoreAccess

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
ASGIApplication = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

JSON_TYPE = "application/json"
"""Without charset: the incumbent's client compares the Content-Type with exactly this string."""
PLAIN_TYPE = "text/plain; charset=utf-8"
"""For answers without a body, which are not JSON."""
CACHE_CONTROL = b"cache-control"
NOT_MODIFIED = int(HTTPStatus.NOT_MODIFIED)


def encode_json(document: Any) -> bytes:
    """Encode a JSON document as all answers are written."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def answer(
    resp: falcon.asgi.Response,
    result: Any = None,
    kind: str = "",
    message: str = "",
    status: int = 200,
) -> None:
    """Answer with a result and its type, with a message, or with both."""
    document: dict[str, Any] = {}
    if kind:
        document = {"result": result, "type": kind}
    if message:
        document["message"] = message
    resp.data = encode_json(document)
    resp.status_code = status


def set_refusal_phrase(resp: falcon.asgi.Response, sentence: str, status: int) -> None:
    """Put the sentence of a refusal into the status line; scripts of devpi look for ``Unauthorized`` in that of 401."""
    set_reason_phrase(resp, f"Unauthorized: {sentence}" if status == HTTPStatus.UNAUTHORIZED else sentence)


def set_reason_phrase(resp: falcon.asgi.Response, sentence: str) -> None:
    """Put a sentence into the status line too, for tools that print nothing else; the worker reads it from a header."""
    printable = "".join(char if " " <= char <= "~" else "?" for char in sentence[:MAX_REASON_PHRASE_BYTES])
    resp.set_header(REASON_PHRASE_HEADER, printable)


def with_private_caching(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer, changed to forbid shared caches to store it (RFC 9111, section 5.2.2.7)."""
    others = [header for header in headers if header[0] != CACHE_CONTROL]
    cache_control = b", ".join(value for name, value in headers if name == CACHE_CONTROL) or b"no-cache"
    directives = [directive for directive in cache_control.split(b", ") if directive != b"public"]
    return [*others, (CACHE_CONTROL, b", ".join([*directives, b"private"]))]


class CommonHeaders:
    """Gives each request its ID, and adds the headers that clients look for to every answer; wraps the application."""

    def __init__(
        self, app: ASGIApplication, version: str, uuid: str, access: StoreAccess, proxy_headers: ProxyHeaders
    ) -> None:
        self._app = app
        self._access = access
        self._proxy_headers = proxy_headers
        self._fixed = (
            (b"x-devpi-api-version", b"2"),
            (b"x-devpi-server-version", version.encode()),
            (b"x-devpi-uuid", uuid.encode()),
            (b"x-devpi-master-uuid", uuid.encode()),
            (b"x-devpi-primary-uuid", uuid.encode()),
            (b"x-content-type-options", b"nosniff"),
        )
        self._at_serial: tuple[int, Sequence[tuple[bytes, bytes]], bytes] = (-1, (), b"")

    def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        request_id = self._proxy_headers.request_id(scope)
        scope[REQUEST_ID] = request_id
        # It stays set after the answer: gunicorn writes the access log in the same task.
        LOGGED_REQUEST_ID.set(request_id)
        request_id_header = (b"x-request-id", request_id.encode())

        def send_with_headers(message: dict[str, Any]) -> Awaitable[None]:
            if message["type"] != "http.response.start":
                return send(message)
            if PRIVATE_RESPONSE in scope:
                message["headers"] = with_private_caching(message["headers"])
            # A client adds the headers that it has to a 304 (RFC 9110, section 15.4.5); each costs 1 % of the answer.
            headers, lines = self._common() if message["status"] != NOT_MODIFIED else ((), b"")
            if ADD_HEAD_LINES in scope:  # PERF: gunicorn looks at each header twice, for 7 % of a page
                scope[ADD_HEAD_LINES](lines + b"%s: %s\r\n" % request_id_header)
            else:
                message["headers"] = [*message["headers"], *headers, request_id_header]
            return send(message)

        return self._app(scope, receive, send_with_headers)

    def _common(self) -> tuple[Sequence[tuple[bytes, bytes]], bytes]:
        """Return the headers as pairs and as ready lines; both are made once per state of the stores."""
        made_at, headers, lines = self._at_serial
        serial = self._access.serial
        if serial != made_at:
            headers = (*self._fixed, (b"x-devpi-serial", b"%d" % serial))
            lines = b"".join(b"%s: %s\r\n" % header for header in headers)
            self._at_serial = (serial, headers, lines)
        return headers, lines
