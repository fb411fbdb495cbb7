"""Says in the log that the headers of a proxy are ignored, because no setting names it."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable
from typing import Any

from wheelgate.caches import TtlCache
from wheelgate.http.answers import ASGIApplication, Receive, Send
from wheelgate.http.proxy_headers import ProxyHeaders, connection_address

FORWARDING_HEADERS = frozenset(
    {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-prefix", b"x-forwarded-proto", b"x-outside-url"}
)
"""Headers that count only from a trusted proxy."""
REPEAT_SECONDS = 3600.0
"""Seconds until an address is named again."""
LEAST_GAP_SECONDS = 10.0
"""Seconds between two lines about any addresses: clients can have many, and must not fill the log."""
MAX_NAMED_ADDRESSES = 1000

log = logging.getLogger("wheelgate.http")


class UntrustedHeaders:
    """Warns of proxies that ``--trusted-proxy`` does not name, once an hour each; wraps the application."""

    def __init__(self, app: ASGIApplication, proxy_headers: ProxyHeaders) -> None:
        self._app = app
        self._proxy_headers = proxy_headers
        self._named: TtlCache[str, bool] = TtlCache(MAX_NAMED_ADDRESSES)
        self._quiet_until = 0.0

    def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        headers = scope["headers"] = [(name, value) for name, value in scope["headers"]]  # it may be an iterator
        found = [name for name, value in headers if name in FORWARDING_HEADERS and value]
        if found:
            self._look(connection_address(scope), found[0].decode())
        return self._app(scope, receive, send)

    def _look(self, address: str, header: str) -> None:
        now = time.monotonic()
        if now < self._quiet_until or self._named.get(address) or self._proxy_headers.trusts(address):
            return
        self._named.put(address, True, REPEAT_SECONDS)
        self._quiet_until = now + LEAST_GAP_SECONDS
        log.warning(
            "ignored %s from %s, because --trusted-proxy does not name this address. If it is your proxy, name it:"
            " until then, all its clients count as one, and answers may have the wrong URLs",
            header,
            address or "an unknown address",
        )
