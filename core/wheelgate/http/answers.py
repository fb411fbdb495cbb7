"""The wire format of an answer: JSON with two spaces and a newline, and the headers that every answer has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

import falcon
import falcon.asgi
import orjson

from wheelgate.http.scope import ADD_HEAD_LINES, MAX_REASON_PHRASE_BYTES, PRIVATE_RESPONSE, REASON_PHRASE_HEADER
from wheelgate.store.access import StoreAccess

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
ASGIApplication = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

JSON_TYPE = "application/json"
"""Without charset: the incumbent's client compares the Content-Type with exactly this string."""
PLAIN_TYPE = "text/plain; charset=utf-8"
"""For answers without a body, which are not JSON."""
TOO_SLOW_MESSAGE = "the request took too long to arrive"
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


async def receive_whole_body(receive: Receive) -> dict[str, Any]:
    """Receive the next part of a body; Falcon takes a body that breaks off for one that has ended.

    Raises:
        falcon.HTTPError: the client has gone, or sends the body too slowly (status 408).
    """
    message = await receive()
    if message["type"] == "http.disconnect":
        raise falcon.HTTPError(falcon.HTTP_408, description=TOO_SLOW_MESSAGE)
    return message


class CommonHeaders:
    """Adds the headers that clients and browsers look for to every answer; wraps the application."""

    def __init__(self, app: ASGIApplication, version: str, uuid: str, access: StoreAccess) -> None:
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
        self._at_serial: tuple[int, Sequence[tuple[bytes, bytes]], bytes] = (-1, (), b"")

    def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""

        def send_with_headers(message: dict[str, Any]) -> Awaitable[None]:
            if message["type"] != "http.response.start":
                return send(message)
            if PRIVATE_RESPONSE in scope:
                message["headers"] = with_private_caching(message["headers"])
            # A client adds the headers that it has to a 304 (RFC 9110, section 15.4.5); each costs 1 % of the answer.
            if message["status"] != NOT_MODIFIED:
                headers, lines = self._common()
                if ADD_HEAD_LINES in scope:  # PERF: gunicorn looks at each header twice, for 7 % of a page
                    scope[ADD_HEAD_LINES](lines)
                else:
                    message["headers"] = [*message["headers"], *headers]
            return send(message)

        return self._app(scope, partial(receive_whole_body, receive), send_with_headers)

    def _common(self) -> tuple[Sequence[tuple[bytes, bytes]], bytes]:
        """Return the headers as pairs and as ready lines; both are made once per state of the stores."""
        made_at, headers, lines = self._at_serial
        serial = self._access.serial
        if serial != made_at:
            headers = (*self._fixed, (b"x-devpi-serial", b"%d" % serial))
            lines = b"".join(b"%s: %s\r\n" % header for header in headers)
            self._at_serial = (serial, headers, lines)
        return headers, lines
