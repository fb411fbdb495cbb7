"""Which addresses the server may connect to on behalf of its users (``--allow-upstream``)."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from wheelgate.errors import BadInput, Forbidden

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""Addresses that a gateway turns into IPv4 ones: the last 32 bits are what is reached (RFC 6052)."""


class Policy:
    """Public addresses are always allowed, others only if they were opened."""

    def __init__(self, allowed: Sequence[Network | str], *, loopback: bool) -> None:
        """Take what ``--allow-upstream`` says.

        Args:
            allowed: networks that are opened; ``public`` opens nothing, and keeps everything else closed.
            loopback: whether only this machine can reach the server; without a word it may then connect to anything.
        """
        self._everything = loopback and not allowed
        self._networks = [entry for entry in allowed if not isinstance(entry, str)]

    def allows(self, address: str) -> bool:
        """Say whether the server may connect to an IP address."""
        if self._everything:
            return True
        plain = ipaddress.ip_address(address.partition("%")[0])
        reached = reached_by(plain)
        return is_public(reached) or any(
            candidate in network for network in self._networks for candidate in (plain, reached)
        )

    def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host that the server may connect to.

        Raises:
            Forbidden: it has none of those.
            socket.gaierror: nobody knows the host.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        allowed = [address for address in dict.fromkeys(str(entry[4][0]) for entry in found) if self.allows(address)]
        if not allowed:
            raise refused(host)
        return allowed

    def refuse_literal(self, url: str) -> None:
        """Refuse an address that can be told to be wrong without asking for its host, as when it is configured.

        Raises:
            BadInput: it is no address with http or https.
            Forbidden: its host is an IP address, however written, that the server may not connect to.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme not in ("http", "https"):
            raise BadInput("an upstream must be an address that begins with http:// or https://")
        try:
            found = socket.getaddrinfo(host, port or 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except (OSError, UnicodeError):
            return
        if not any(self.allows(str(entry[4][0])) for entry in found):
            raise refused(host)


def refused(host: str) -> Forbidden:
    """Make the refusal for a host; it does not say which address the name has, which may be nobody's business."""
    return Forbidden(
        f"this server may not connect to '{host[:255]}': it has no public address; "
        "the administrator can open its network by --allow-upstream"
    )


def reached_by(address: Address) -> Address:
    """Return the address that a packet to ``address`` reaches in the end."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def is_public(address: Address) -> bool:
    """Whether an address belongs to one machine on the public internet."""
    return address.is_global and not address.is_multicast and not address.is_reserved
