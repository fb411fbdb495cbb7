"""The options of the sockets that the server listens on."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from wheelgate.process.master import make_ready

CONTROL = Path("/proc/sys/net/ipv4/tcp_congestion_control")


@pytest.mark.skipif(not CONTROL.exists(), reason="only Linux tells, and lets a program choose")
@pytest.mark.parametrize(("address", "chosen"), [("127.0.0.1", "reno"), ("0.0.0.0", None)])
def test_only_the_loopback_sends_without_pacing(address: str, chosen: str | None) -> None:
    with socket.create_server((address, 0)) as listener:
        make_ready(SimpleNamespace(LISTENERS=[SimpleNamespace(sock=listener)]))
        with socket.create_connection((address, listener.getsockname()[1])):
            accepted, _ = listener.accept()
            with accepted:
                used = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()
    assert used == (chosen or CONTROL.read_text().strip())
