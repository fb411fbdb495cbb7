"""The addresses of client and server as they are in front of the proxies of this server."""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import falcon.asgi

from wheelgate.errors import BadInput
from wheelgate.option_types import Network

SERVER_URL_CACHE_ENTRIES = 1000
"""Pairs of scheme and host whose URL is cached; most clients send the same."""
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
REQUEST_ID_RANDOM_BYTES = 6
"""Random bytes of an ID that this server gives to a request."""

REQUEST_ID_PATTERN = re.compile(rb"[A-Za-z0-9._=-]{1,128}")
"""An ID that a proxy may give to a request; nothing in it needs quoting in a log or a header."""
HOST_PATTERN = re.compile(r"[A-Za-z0-9._-]{1,255}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
OUTSIDE_URL_PATTERN = re.compile(
    r"https?://(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?"
)
PREFIX_PATTERN = re.compile(r"(/(?!\.\.?(/|$))[A-Za-z0-9._~-]{1,255}){0,20}/?")


class ProxyHeaders:
    """Finds the client's and the server's address; trusts the headers of configured proxies only."""

    def __init__(self, trusted_proxies: Sequence[Network], outside_url: str | None) -> None:
        """Take the networks of trusted proxies, and the server's own address if the configuration sets it."""
        self._trusted_proxies = trusted_proxies
        self._outside_url = outside_url

    @property
    def may_have_path(self) -> bool:
        """Whether :meth:`outside_path` may be anything but empty."""
        return bool(self._trusted_proxies or split_url(self._outside_url or "")[1])

    def client_address(self, req: falcon.asgi.Request) -> str:
        """Return the client's IP address: the one that a trusted proxy reports, else that of the connection."""
        return self._reported_address(req.remote_addr, req.get_header("x-forwarded-for", default=""))

    def reported_address(self, scope: dict[str, Any]) -> str | None:
        """Return the client's IP address for a request of a trusted proxy; None for any other.

        Args:
            scope: the ASGI scope of the request, whose headers are a list.
        """
        address = connection_address(scope)
        if not self._trusted_proxies or not self._trusts(address):
            return None
        forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        return self._reported_address(address, forwarded.decode("latin-1"))

    def _reported_address(self, address: str, forwarded: str) -> str:
        if self._trusted_proxies and self._trusts(address):
            return [address, *self._hops(forwarded)][-1]
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
        if not self._trusted_proxies or not self._trusts(req.remote_addr):
            return url_of_host(scheme, host)
        outside = req.get_header("x-outside-url", default="").rstrip("/")
        if outside:
            if not OUTSIDE_URL_PATTERN.fullmatch(outside):
                raise BadInput("the header 'X-Outside-Url' is not an http or https address")
            return outside
        proxies = len(self._hops(req.get_header("x-forwarded-for", default=""))) or 1
        scheme = vouched_value(req.get_header("x-forwarded-proto", default=""), proxies).lower() or scheme
        if scheme not in ("http", "https"):
            raise BadInput("the header 'X-Forwarded-Proto' is neither http nor https")
        host = vouched_value(req.get_header("x-forwarded-host", default=""), proxies) or host
        prefix = vouched_value(req.get_header("x-forwarded-prefix", default=""), proxies)
        if not PREFIX_PATTERN.fullmatch(prefix):
            raise BadInput("the header 'X-Forwarded-Prefix' is not a path")
        return url_of_host(scheme, host) + prefix.rstrip("/")

    def outside_path(self, address: str, x_outside_url: str) -> str:
        """Return the path of the server's address, which a proxy may leave in place; empty if it has none.

        Args:
            address: the address of the connection.
            x_outside_url: the header ``X-Outside-Url``, which counts only from a trusted proxy.
        """
        url = self._outside_url
        # Requests for which a malformed header matters are refused where they need the server's address.
        if url is None and OUTSIDE_URL_PATTERN.fullmatch(x_outside_url) and self._trusts(address):
            url = x_outside_url
        return unquote(split_url(url)[1]).rstrip("/") if url else ""

    def request_id(self, scope: dict[str, Any]) -> str:
        """Return the ID of a request: a well-formed one from a trusted proxy, else a new one.

        Args:
            scope: the ASGI scope of the request. ASGI allows iterators in it; those that this reads become lists,
                because the application reads them once more.
        """
        if self._trusted_proxies and self._trusts(connection_address(scope)):
            scope["headers"] = headers = [(name, value) for name, value in scope["headers"]]
            given = [value for name, value in headers if name == b"x-request-id"]
            if len(given) == 1 and REQUEST_ID_PATTERN.fullmatch(given[0]):
                return str(given[0].decode("ascii"))
        return secrets.token_hex(REQUEST_ID_RANDOM_BYTES)

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted_proxies)

    def _hops(self, forwarded: str) -> list[str]:
        """Walk back through the trusted proxies of X-Forwarded-For, up to the first other address: the client's."""
        hops: list[str] = []
        for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            try:
                hops.append(str(ipaddress.ip_address(hop)))
            except ValueError:
                break
            if not self._trusts(hops[-1]):
                break
        return hops


def vouched_value(header: str, proxies: int) -> str:
    """Return the value that the first of the trusted proxies has set.

    A proxy replaces a header such as X-Forwarded-Host, or adds its value at the end. Values further ahead may come from
    the client.

    Args:
        header: the values, separated by commas.
        proxies: how many trusted proxies the request has passed.
    """
    values = [value.strip() for value in header.split(",") if value.strip()]
    return values[-min(proxies, len(values))] if values else ""


def connection_address(scope: dict[str, Any]) -> str:
    """Return the address at the other end of a connection; empty if it has none."""
    if not scope.get("client"):
        return ""
    scope["client"] = client = list(scope["client"])
    return str(client[0])


def split_url(url: str) -> tuple[str, str]:
    """Return the host with its port, and the path, of an address such as a client may have sent.

    ``urlsplit`` raises ``ValueError`` for some, such as ``http://[`` and ``http://[::::]``.
    """
    host, slash, path = url.partition("://")[2].partition("/")
    return host, slash + path


def origin_of(url: str) -> str:
    """Return the origin of an address as browsers write it (RFC 6454, section 6.2): without path and default port."""
    scheme, host = url.partition("://")[0].lower(), split_url(url)[0].lower()
    return f"{scheme}://{host.removesuffix(DEFAULT_PORTS.get(scheme, ''))}"


@lru_cache(SERVER_URL_CACHE_ENTRIES)
def url_of_host(scheme: str, host: str) -> str:
    """Return the address of a server. Raise ``BadInput`` if ``host`` is not a host name with an optional port."""
    if not HOST_PATTERN.fullmatch(host):
        raise BadInput("the header 'Host' is not a host name with an optional port")
    return f"{scheme}://{host}"
