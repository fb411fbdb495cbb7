"""Sockets that systemd opens and passes on, so that requests wait while the server restarts (sd_listen_fds(3))."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from wheelgate.errors import StartupError

FIRST_DESCRIPTOR = 3
"""``SD_LISTEN_FDS_START`` of sd_listen_fds(3)."""


def refuse_other_addresses(expected: Sequence[str]) -> None:
    """Refuse a passed socket that listens elsewhere than the settings say.

    gunicorn would take any. But the server decides by ``--host`` whether root may have no password, and to which
    addresses it may connect.

    Args:
        expected: each address that the settings name, as ``127.0.0.1:3141`` or ``[::1]:3141``.

    Raises:
        StartupError: the text names both addresses.
    """
    if not sockets_are_passed():
        return
    for descriptor in range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + int(os.environ.get("LISTEN_FDS", "0"))):
        with socket.socket(fileno=os.dup(descriptor)) as passed:
            address = passed.getsockname()
        listens = address if isinstance(address, str) else host_and_port(address[0], address[1])
        if listens not in expected:
            raise StartupError(
                f"systemd passes a socket that listens on {listens}, but --host and --port say "
                f"{' and '.join(expected)}; make both name the same address"
            )


def sockets_are_passed() -> bool:
    """Say whether systemd has opened the sockets of this process."""
    return os.environ.get("LISTEN_PID") == str(os.getpid())


def host_and_port(host: str, port: int) -> str:
    """Write an address as in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
