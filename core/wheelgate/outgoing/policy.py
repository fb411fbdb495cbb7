"""Decides to which addresses the server may connect on behalf of its users (``--allow-upstream``)."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from wheelgate.errors import BadInput, Forbidden
from wheelgate.option_types import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""Addresses that a gateway translates into IPv4 addresses, which are their last 32 bits (RFC 6052)."""


class AddressPolicy:
    """Decides on addresses: public ones are always allowed, others only if the administrator opened their network."""

    def __init__(self, allowed: Sequence[Network | str], *, loopback: bool, offline: bool = False) -> None:
        """Take the values of ``--allow-upstream``.

        Args:
            allowed: the opened networks. ``public`` opens none, and keeps all that are not public closed.
            loopback: whether only this machine can reach the server. If ``allowed`` is empty too, the server may
                connect to all addresses, until :meth:`limit` is called.
            offline: whether the server sends no request at all.
        """
        self.offline = offline
        self.unlimited = loopback and not allowed
        """Whether the server may connect to all addresses."""
        self._networks = [entry for entry in allowed if not isinstance(entry, str)]

    def limit(self) -> None:
        """Keep all addresses closed from now on that are not public and that ``--allow-upstream`` does not open."""
        self.unlimited = False

    def allows(self, address: str) -> bool:
        """Return whether the server may connect to an IP address."""
        if self.unlimited:
            return True
        plain = ipaddress.ip_address(address.partition("%")[0])
        reached = final_address(plain)
        return is_public(reached) or any(
            candidate in network for network in self._networks for candidate in (plain, reached)
        )

    def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host that the server may connect to.

        Raises:
            Forbidden: it has no such address, or the server is offline.
            socket.gaierror: no name server knows the host.
        """
        if self.offline:
            raise offline_refusal(host)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        allowed = [address for address in dict.fromkeys(str(entry[4][0]) for entry in found) if self.allows(address)]
        if not allowed:
            raise address_refusal(host)
        return allowed

    def check_request(self, url: str) -> None:
        """Check the URL of a request that is about to be sent; see :meth:`check_url`.

        Raises:
            Forbidden: also if the server is offline.
        """
        self.check_url(url)
        if self.offline:
            raise offline_refusal(urlsplit(url).hostname or "")

    def check_url(self, url: str) -> None:
        """Check a URL without resolving its host, for example when an index is configured.

        Raises:
            BadInput: it is no URL with http or https.
            Forbidden: its host is an IP address, however written, that the server may not connect to.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme not in ("http", "https"):
            raise BadInput("an upstream must be a URL that begins with http:// or https://")
        try:
            found = socket.getaddrinfo(host, port or 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except (OSError, UnicodeError):
            return
        if not any(self.allows(str(entry[4][0])) for entry in found):
            raise address_refusal(host)


def address_refusal(host: str) -> Forbidden:
    """Return the refusal for a host. It does not disclose the address, which may be internal."""
    return Forbidden(
        f"this server may not connect to '{host[:255]}': it has no public address; "
        "the administrator can open its network with --allow-upstream"
    )


def offline_refusal(host: str) -> Forbidden:
    """Return the refusal of any request to a host."""
    return Forbidden(f"this server is offline (--offline), so it sends no request to '{host[:255]}'")


def final_address(address: Address) -> Address:
    """Return the address that a packet to ``address`` finally reaches.

    That is the IPv4 address inside one of NAT64 (RFC 6052), an IPv4-mapped one (RFC 4291) or one of 6to4 (RFC 3056).
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def is_public(address: Address) -> bool:
    """Return whether an address belongs to one machine on the public internet."""
    return address.is_global and not address.is_multicast and not address.is_reserved
