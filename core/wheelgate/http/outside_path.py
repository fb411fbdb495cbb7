"""Serves requests of proxies that leave the path of the outside URL in place."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from wheelgate.http.answers import ASGIApplication, Receive, Send
from wheelgate.http.proxy_headers import ProxyHeaders


class OutsidePath:
    """Removes the path of the outside URL from a request, unless the proxy has removed it; wraps the application.

    Behind ``https://packages.example/sub``, both ``/sub/alice/dev`` and ``/alice/dev`` are the index ``alice/dev``.
    """

    def __init__(self, app: ASGIApplication, proxy_headers: ProxyHeaders) -> None:
        self._app = app
        self._proxy_headers = proxy_headers

    def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        # All of them may be iterators, which only the first reader could read.
        client = scope["client"] = tuple(scope.get("client") or ("", None))
        headers = scope["headers"] = [(name, value) for name, value in scope["headers"]]
        given = next((value.decode("latin-1") for name, value in headers if name == b"x-outside-url"), "")
        scope["path"] = without_prefix(scope["path"], self._proxy_headers.outside_path(client[0], given))
        return self._app(scope, receive, send)


def without_prefix(path: str, prefix: str) -> str:
    """Remove a prefix, such as ``/sub``, from a path that lies below it."""
    if prefix and f"{path}/".startswith(f"{prefix}/"):
        return path[len(prefix) :] or "/"
    return path
