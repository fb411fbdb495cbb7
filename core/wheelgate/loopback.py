"""What comes from this machine, and what may come from another: addresses, and headers that proxies add."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

PROXY_HEADERS = frozenset(
    {
        "cdn-loop",
        "cf-connecting-ip",
        "client-ip",
        "forwarded",
        "true-client-ip",
        "via",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-outside-url",
        "x-real-ip",
    }
)
"""Headers that proxies add to what they pass on, in lower case; programs that connect themselves send none of them."""
PROXY_HEADER_PREFIXES = ("x-forwarded-", "x-envoy-")


def is_loopback(host: str) -> bool:
    """Say whether a host is a loopback address; the only name that counts is ``localhost``."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def from_this_machine(addresses: Iterable[str], headers: Mapping[str, str]) -> bool:
    """Say whether a program on this machine sent a request.

    All addresses are loopback, no header is one that proxies add, and ``Host`` names this machine: a proxy that adds no
    header may pass on the name that its client uses. A proxy that does neither cannot be recognised.

    Args:
        addresses: those of the connection and, behind a trusted proxy, of the client; empty ones do not count.
        headers: the headers of the request by lower-case name.
    """
    known = [address for address in addresses if address]
    local = bool(known) and all(map(is_loopback, known)) and is_local_host(headers.get("host", ""))
    return local and not names_proxy(headers)


def is_local_host(host: str) -> bool:
    """Say whether a ``Host`` header names this machine; names below ``localhost`` do too (RFC 6761, section 6.3)."""
    name = (host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]).lower().rstrip(".")
    return not name or is_loopback(name) or name.endswith(".localhost")


def names_proxy(headers: Iterable[str]) -> bool:
    """Say whether one of the headers, whose names are in lower case, is one that a proxy adds."""
    return any(name in PROXY_HEADERS or name.startswith(PROXY_HEADER_PREFIXES) for name in headers)
