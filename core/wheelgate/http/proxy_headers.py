"""The addresses of client and server as they are in front of the proxies of this server."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache

import falcon.asgi

from wheelgate.errors import BadInput
from wheelgate.option_types import Network

SERVER_URL_CACHE_ENTRIES = 1000
"""Pairs of scheme and host whose URL is cached; most clients send the same."""

HOST_PATTERN = re.compile(r"[A-Za-z0-9._-]{1,255}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
OUTSIDE_URL_PATTERN = re.compile(
    r"https?://(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?"
)


class ProxyHeaders:
    """Finds the client's and the server's address; trusts the headers of configured proxies only."""

    def __init__(self, trusted_proxies: Sequence[Network], outside_url: str | None) -> None:
        """Take the networks of trusted proxies, and the server's own address if the configuration sets it."""
        self._trusted_proxies = trusted_proxies
        self._outside_url = outside_url

    def client_address(self, req: falcon.asgi.Request) -> str:
        """Return the client's IP address: the one that a trusted proxy reports, else that of the connection."""
        address = req.remote_addr
        if self._trusted_proxies and self._trusts(address):
            return self._behind_proxies(address, req.get_header("x-forwarded-for", default=""))
        return address

    def server_url(self, req: falcon.asgi.Request) -> str:
        """Return the server's address as the client must write it, without a trailing slash.

        Raises:
            BadInput: the Host header, or the header of a trusted proxy that replaces it, is not an address.
        """
        if self._outside_url is not None:
            return self._outside_url
        scheme = req.scope.get("scheme", "http")
        host = req.get_header("host", default="")
        if self._trusted_proxies and self._trusts(req.remote_addr):
            outside = req.get_header("x-outside-url", default="").rstrip("/")
            if outside:
                if not OUTSIDE_URL_PATTERN.fullmatch(outside):
                    raise BadInput("the header 'X-Outside-Url' is not an http or https address")
                return outside
            if req.get_header("x-forwarded-proto") in ("http", "https"):
                scheme = req.get_header("x-forwarded-proto")
            host = req.get_header("x-forwarded-host", default=host)
        return url_of_host(scheme, host)

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted_proxies)

    def _behind_proxies(self, address: str, forwarded: str) -> str:
        """Walk back through the trusted proxies of X-Forwarded-For; the first other address is the client's."""
        for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            try:
                address = str(ipaddress.ip_address(hop))
            except ValueError:
                break
            if not self._trusts(address):
                break
        return address


@lru_cache(SERVER_URL_CACHE_ENTRIES)
def url_of_host(scheme: str, host: str) -> str:
    """Return the address of a server. Raise ``BadInput`` if ``host`` is not a host name with an optional port."""
    if not HOST_PATTERN.fullmatch(host):
        raise BadInput("the header 'Host' is not a host name with an optional port")
    return f"{scheme}://{host}"
