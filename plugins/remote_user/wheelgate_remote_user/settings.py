"""Reads the settings, and refuses those that would let any client act as any user."""

from __future__ import annotations

import ipaddress
import re

from wheelgate.option_types import network

RESERVED_HEADERS = frozenset({"authorization", "connection", "content-length", "cookie", "host", "x-devpi-auth"})
"""Headers with another meaning, which clients may send."""


def proxy_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Read the address or the network of a proxy; refuse a network that includes every address."""
    found = network(text)
    if not found.prefixlen:
        raise ValueError("the network of the proxy alone, because every machine in it can act as any user")
    return found


def header_name(text: str) -> str:
    """Read the name of a header (RFC 9110, section 5.1); refuse ``_``, because proxies drop such headers."""
    name = text.strip().lower()
    if not re.fullmatch(r"[a-z0-9-]{1,64}", name) or name in RESERVED_HEADERS:
        raise ValueError("the name of a header that the proxy sets, such as X-Remote-User")
    return name
