"""Requests that a plugin makes to this server's own HTTP API while it handles another one."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote

import falcon.asgi
import orjson

from wheelgate.http.answers import JSON_TYPE, ASGIApplication
from wheelgate.http.handler_context import SAFE_METHODS
from wheelgate.http.scope import ADD_HEAD_LINES, FILE_SENDER, PRIVATE_RESPONSE, ROUTE_BODY, SHOW_SERIAL
from wheelgate.providers import Answer

OWN_HEADERS = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
        b"range",
        b"transfer-encoding",
    }
)
"""Headers that belong to the first request and not to the one that a plugin makes; all others say who asks."""


class InProcessApi:
    """The application, as a plugin's handler reaches it: see :attr:`wheelgate.providers.RouteRequest.ask`."""

    def __init__(self) -> None:
        self.app: ASGIApplication | None = None
        """The application; set once, when it is complete."""

    def ask(
        self,
        req: falcon.asgi.Request,
        loop: asyncio.AbstractEventLoop,
        method: str,
        path: str,
        body: Any = None,
    ) -> Answer:
        """Send a request with the credentials and from the address of another one, and wait for the answer.

        Args:
            req: the other request.
            loop: the event loop that serves it; this function must run in another thread.
            method: the method.
            path: the path, percent-encoded, with a query if needed.
            body: the JSON body; None sends no body.

        Raises:
            RuntimeError: the other request changes nothing, and this one would.
        """
        if method not in SAFE_METHODS and req.method in SAFE_METHODS:
            raise RuntimeError(f"a {req.method} changes nothing: {method} {path} may not be asked for it")
        data = b"" if body is None else orjson.dumps(body)
        return asyncio.run_coroutine_threadsafe(self._exchange(req, method, path, data), loop).result()

    async def _exchange(self, req: falcon.asgi.Request, method: str, path: str, body: bytes) -> Answer:
        scope = inner_scope(req, method, path, body)
        requests = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return requests.pop() if requests else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        if self.app is None:
            raise RuntimeError("the server is not complete yet")
        await self.app(scope, receive, send)
        if PRIVATE_RESPONSE in scope:
            req.scope[PRIVATE_RESPONSE] = True
        return read_answer(sent)


def inner_scope(req: falcon.asgi.Request, method: str, path: str, body: bytes) -> dict[str, Any]:
    """Return the ASGI scope of a request that has the sender of another one."""
    path, _, query = path.partition("?")
    # Headers and address in the scope may be iterators, which Falcon has read.
    given = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in req.headers_lower.items()]
    headers = [pair for pair in given if pair[0] not in OWN_HEADERS]
    headers.append((b"accept", JSON_TYPE.encode()))
    if body:
        headers += [(b"content-type", JSON_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    shared = {ADD_HEAD_LINES, FILE_SENDER, PRIVATE_RESPONSE, ROUTE_BODY, SHOW_SERIAL}
    return {
        **{key: value for key, value in req.scope.items() if key not in shared},
        "client": (req.remote_addr, 0),
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": headers,
    }


def read_answer(messages: list[dict[str, Any]]) -> Answer:
    """Return the answer that an application has sent."""
    headers = {bytes(name).decode("latin-1"): bytes(value).decode("latin-1") for name, value in messages[0]["headers"]}
    content = b"".join(message.get("body", b"") for message in messages[1:])
    is_json = headers.get("content-type", "").partition(";")[0] == JSON_TYPE
    return Answer(messages[0]["status"], orjson.loads(content) if content and is_json else None, headers)
