"""The sockets that the server listens on."""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import socket
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from typing import Any

from wheelgate.errors import StartupError
from wheelgate.process.passed_sockets import host_and_port, sockets_are_passed

STANDARD_OUTPUT = 1
"""The descriptor."""
BACKLOG_CONNECTIONS = 2048
"""Connections that wait until a worker accepts them."""

log = logging.getLogger("wheelgate.server")


def bind_addresses(hosts: Iterable[str], port: int) -> list[str]:
    """Return the addresses to bind; ``localhost`` stands for both loopback addresses if the machine has both."""
    addresses: list[str] = []
    for host in hosts:
        if host == "localhost":
            addresses.append(f"127.0.0.1:{port}")
            if port and has_ipv6_loopback():
                addresses.append(f"[::1]:{port}")
        else:
            addresses.append(host_and_port(host, port))
    return list(dict.fromkeys(addresses))


def has_ipv6_loopback() -> bool:
    """Say whether this machine has the address ``::1``."""
    if socket.has_ipv6:
        with socket.socket(socket.AF_INET6) as probe, suppress(OSError):
            probe.bind(("::1", 0))
            return True
    return False


def open_listeners(addresses: Sequence[str]) -> list[socket.socket]:
    """Return a socket for each address, bound but not listening yet; none if systemd passes the sockets.

    Args:
        addresses: each as ``127.0.0.1:3141`` or ``[::1]:3141``.

    Raises:
        StartupError: an address cannot be bound; the text says what to do.
    """
    if sockets_are_passed():
        return []
    with ExitStack() as opened:
        alone = len(addresses) == 1
        listeners = [opened.enter_context(bound_socket(address, alone=alone)) for address in addresses]
        opened.pop_all()  # no failure, so the sockets stay open
    return listeners


def bound_socket(address: str, *, alone: bool) -> socket.socket:
    """Return a socket that is bound to an address.

    Args:
        address: as ``127.0.0.1:3141`` or ``[::1]:3141``.
        alone: whether ``::`` stands for all addresses of IPv4 too.

    Raises:
        StartupError: the address cannot be bound.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError):
        raise StartupError(
            f"--host: there is no host '{host}'; give an address of this machine, or localhost"
        ) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not alone)
        listener.bind(place)
    except OSError as error:
        listener.close()
        raise StartupError(bind_failure(error, host, int(port))) from None
    return listener


def start_listening(listeners: Iterable[socket.socket]) -> list[str]:
    """Let the sockets listen, and hand them over: return them in the form in which gunicorn takes them.

    Raises:
        StartupError: another program has begun to listen there since the socket was bound.
    """
    listeners = list(listeners)
    for listener in listeners:
        host, port, *_ = listener.getsockname()
        try:
            listener.listen(BACKLOG_CONNECTIONS)
        except OSError as error:
            raise StartupError(bind_failure(error, host, port)) from None
    return [f"fd://{listener.detach()}" for listener in listeners]


def bind_failure(error: OSError, host: str, port: int) -> str:
    """Return the sentence for an address that cannot be bound."""
    where = host_and_port(host, port)
    if error.errno == errno.EADDRINUSE:
        return (
            f"another program, perhaps another devpi-server, listens on {where}; stop it, or choose another port, "
            f"for example --port {port + 1 if port < 65535 else port - 1}"
        )
    if error.errno == errno.EACCES:
        return (
            f"the system lets only root listen on port {port}; choose a port above 1023, for example --port 3141, "
            "and let a proxy pass requests on from there"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"--host: this machine does not have the address {host}; give one of its addresses, 0.0.0.0 for all, "
            "or localhost"
        )
    return f"cannot listen on {where}: {os.strerror(error.errno or 0)}"


def make_ready(arbiter: Any) -> None:
    """Set up the sockets, and print where the server listens."""
    urls = []
    for listener in arbiter.LISTENERS:
        host, port, *_ = listener.sock.getsockname()
        if ipaddress.ip_address(host).is_loopback:
            disable_pacing(listener.sock)
        urls.append(f"http://{host_and_port(host, port)}")
    # Scripts that start devpi wait for this line in its log.
    log.info("serving at url: %s", urls[0])
    # Not by print: nobody may read it, or the disk of the file may be full, and the server starts nevertheless.
    with suppress(OSError):
        for url in urls:
            os.write(STANDARD_OUTPUT, f"devpi-server listens on {url}\n".encode())


def disable_pacing(listener: socket.socket) -> None:
    """Let connections over the loopback send as fast as the other side reads.

    Some machines pace what they send by default (BBR). Over the loopback, for example to a proxy on the same machine,
    the timers of the pacing cost more than the sending: a large download takes twice the CPU time and ten times as
    long. Every kernel has Reno, which does not pace. Only Linux has this option.
    """
    with suppress(OSError, AttributeError):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
