"""How the settings are read: what would make everybody somebody else is refused."""

from __future__ import annotations

import ipaddress
import re

from wheelgate.option_types import network

TAKEN = frozenset({"authorization", "connection", "content-length", "cookie", "host", "x-devpi-auth"})
"""Headers that mean something else, and that clients may send."""


def proxy_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Read the address or the network of a proxy; one that holds every address is none."""
    found = network(text)
    if not found.prefixlen:
        raise ValueError("the network of the proxy alone, for whoever is in it can say to be anybody")
    return found


def header_name(text: str) -> str:
    """Read the name of a header (RFC 9110, section 5.1), without ``_``, which proxies and servers drop."""
    name = text.strip().lower()
    if not re.fullmatch(r"[a-z0-9-]{1,64}", name) or name in TAKEN:
        raise ValueError("the name of a header that the proxy sets, such as X-Remote-User")
    return name
