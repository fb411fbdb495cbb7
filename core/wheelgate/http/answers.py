"""The wire format of an answer: JSON with two spaces and a newline, and the headers that every answer has."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

import falcon
import falcon.asgi
import orjson

from wheelgate.errors import Refusal
from wheelgate.http.proxy_headers import ProxyHeaders
from wheelgate.http.scope import (
    ADD_HEAD_LINES,
    CLIENT_ADDRESS,
    MAX_REASON_PHRASE_BYTES,
    PRIVATE_RESPONSE,
    REASON_PHRASE_HEADER,
    REQUEST_ID,
    SHOW_SERIAL,
    STATUS,
)
from wheelgate.logs import ACCESS_SCOPE
from wheelgate.logs import REQUEST_ID as LOGGED_REQUEST_ID
from wheelgate.store.access import StoreAccess
from wheelgate.values import EMPTY_MAPPING

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
    details: Mapping[str, Any] = EMPTY_MAPPING,
) -> None:
    """Answer with a result and its type, with a message, or with both; a refusal may have further keys."""
    document: dict[str, Any] = {}
    if kind:
        document = {"result": result, "type": kind}
    if message:
        document["message"] = message
    document |= details
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


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """Headers as pairs, and as lines that are ready for the head."""

    pairs: Sequence[tuple[bytes, bytes]]
    lines: bytes


def header_block(pairs: Sequence[tuple[bytes, bytes]]) -> HeaderBlock:
    """Return a block of headers."""
    return HeaderBlock(pairs, b"".join(b"%s: %s\r\n" % pair for pair in pairs))


class CommonHeaders:
    """Gives each request its ID, and adds the headers that clients look for to every answer; wraps the application.

    The change serial is never older than that of an answer before this request, on any worker: it is read when the
    answer begins, unless the request has read it already. While some index is private, only root sees it: it would tell
    everybody that something has happened there.
    """

    def __init__(
        self,
        app: ASGIApplication,
        version: str,
        uuid: str,
        access: StoreAccess,
        proxy_headers: ProxyHeaders,
        all_public: Callable[[], bool],
    ) -> None:
        """Take the application, what the headers say, and the function that says whether no index is private."""
        self._app = app
        self._access = access
        self._proxy_headers = proxy_headers
        self._all_public = all_public
        self._fixed = (
            (b"x-devpi-api-version", b"2"),
            (b"x-devpi-server-version", version.encode()),
            (b"x-devpi-uuid", uuid.encode()),
            (b"x-devpi-master-uuid", uuid.encode()),
            (b"x-devpi-primary-uuid", uuid.encode()),
            (b"x-content-type-options", b"nosniff"),
        )
        self._blocks = (-1, header_block(self._fixed), header_block(self._fixed))
        """A change serial, the headers at this serial for everyone, and those for root."""

    def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        request_id = self._proxy_headers.request_id(scope)
        scope[REQUEST_ID] = request_id
        # It stays set after the answer: gunicorn writes the access log in the same task.
        LOGGED_REQUEST_ID.set(request_id)
        ACCESS_SCOPE.set(scope)
        if (client := self._proxy_headers.reported_address(scope)) is not None:
            scope[CLIENT_ADDRESS] = client
        request_id_block = header_block(((b"x-request-id", request_id.encode()),))
        began = 0.0 if self._access.instant else time.monotonic()

        def send_with_headers(message: dict[str, Any]) -> Awaitable[None]:
            if message["type"] != "http.response.start":
                return send(message)
            scope[STATUS] = message["status"]
            if PRIVATE_RESPONSE in scope:
                message["headers"] = with_private_caching(message["headers"])
            # A client adds the headers that it has to a 304 (RFC 9110, section 15.4.5); each costs 1 % of the answer.
            if message["status"] == NOT_MODIFIED:
                add_headers(scope, message, request_id_block)
                return send(message)
            if self._access.instant:
                self._look_again()
            elif self._access.serial_read < began or self._access.serial != self._blocks[0]:
                return self._send_later(scope, message, send, request_id_block)
            self._add_to(scope, message, request_id_block)
            return send(message)

        return self._app(scope, partial(receive_whole_body, receive), send_with_headers)

    async def _send_later(
        self, scope: dict[str, Any], message: dict[str, Any], send: Send, own_block: HeaderBlock
    ) -> None:
        await self._access.read(self._look_again)
        self._add_to(scope, message, own_block)
        await send(message)

    def _look_again(self) -> None:
        """Make the blocks if there was a change; if the stores do not answer, those from before stay."""
        with suppress(Refusal):
            serial = self._access.read_serial()
            if serial != self._blocks[0]:
                with_serial = header_block((*self._fixed, (b"x-devpi-serial", b"%d" % serial)))
                public = with_serial if self._all_public() else header_block(self._fixed)
                self._blocks = (serial, public, with_serial)

    def _add_to(self, scope: dict[str, Any], message: dict[str, Any], own_block: HeaderBlock) -> None:
        _, for_everyone, for_root = self._blocks
        add_headers(scope, message, for_root if SHOW_SERIAL in scope else for_everyone, own_block)


def add_headers(scope: dict[str, Any], message: dict[str, Any], *blocks: HeaderBlock) -> None:
    """Add headers to the start of an answer."""
    if ADD_HEAD_LINES in scope:  # PERF: gunicorn looks at each header twice, for 7 % of a page
        scope[ADD_HEAD_LINES](b"".join([block.lines for block in blocks]))
    else:
        message["headers"] = [*message["headers"], *(pair for block in blocks for pair in block.pairs)]
