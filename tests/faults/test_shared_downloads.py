"""Downloads that several clients share, if the process that writes the file is killed."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.helpers.distributions import Distribution, wheel
from tests.helpers.upload_forms import address
from tests.helpers.upstream import Fault, Upstream, upstream  # noqa: F401 - a fixture
from tests.helpers.wire import ANSWER_TIMEOUT_SECONDS, call, login, read_all, workers

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

CLIENTS = 12
HALF_FILE_BYTES = 1_500_000


@pytest.fixture
def server(tmp_path: Path, upstream: Upstream) -> Iterator[ServerProcess]:  # noqa: F811
    """Return a server of two workers with a mirror ``root/up`` of the upstream."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, workers=2) as running:
        config = {"type": "mirror", "mirror_url": upstream.url}
        assert call(running, "PUT", "/root/up", config, login(running)).status == 200
        yield running


def held_back(upstream: Upstream) -> tuple[Distribution, threading.Event]:  # noqa: F811
    """Offer a file of which the upstream sends the second half only when the event is set."""
    made = upstream.add(wheel("large", size=2 * HALF_FILE_BYTES))
    gate = threading.Event()
    upstream.faults[upstream.file_path(made)] = Fault(gate=gate, gate_at=HALF_FILE_BYTES)
    return made, gate


def writer(server: ServerProcess) -> int:
    """Return the process that writes the only download; 0 if there is none."""
    spool = server.serverdir / "files" / "spool"
    inodes = {str(path.stat().st_ino) for path in spool.iterdir()} if spool.exists() else set()
    for line in Path("/proc/locks").read_text().splitlines():
        _, kind, _, _, pid, place, *_ = line.replace("-> ", "").split()
        if kind == "FLOCK" and place.rpartition(":")[2] in inodes:
            return int(pid)
    return 0


def test_a_download_starts_again_after_its_writer_is_killed(server: ServerProcess, upstream: Upstream) -> None:  # noqa: F811
    """No client takes half a file for a whole one, the next request gets all of it, and no partial file remains."""
    made, gate = held_back(upstream)
    request = f"GET /root/up/{address(made)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    assert call(server, "GET", "/root/up/+simple/large/").status == 200
    with ExitStack() as connections:
        clients = [
            connections.enter_context(
                socket.create_connection(("127.0.0.1", server.port), timeout=ANSWER_TIMEOUT_SECONDS)
            )
            for _ in range(CLIENTS)
        ]
        for client in clients:
            client.sendall(request)
        assert all(client.recv(1) == b"H" for client in clients)
        assert writer(server) in workers(server)
        os.kill(writer(server), signal.SIGKILL)
        cut = [read_all(client) for client in clients]
    gate.set()

    assert all(exchange.closed for exchange in cut)
    assert not any(made.content[-100:] in exchange.received for exchange in cut)
    assert call(server, "GET", f"/root/up/{address(made)}").content == made.content
    assert upstream.count(upstream.file_path(made)) == 2
    server.stop()
    server.start()
    files = server.serverdir / "files"
    assert {path.relative_to(files).parts[0] for path in files.rglob("*") if path.is_file()} == {"sha256"}
