"""What comes from this machine, and what may come from another: addresses, and headers that proxies add."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

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


def names_proxy(headers: Iterable[str]) -> bool:
    """Say whether one of the headers, whose names are in lower case, is one that a proxy adds."""
    return any(name in PROXY_HEADERS or name.startswith(PROXY_HEADER_PREFIXES) for name in headers)
