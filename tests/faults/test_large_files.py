"""Large files to many clients, without a growth of the server's memory."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.upload_forms import address
from tests.helpers.upstream import Upstream, upstream  # noqa: F401 - a fixture
from tests.helpers.wire import PATIENCE, call, login, wait_until, workers
from tests.helpers.wire_uploads import send

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CLIENTS = 100
LARGE = 50_000_000
HUGE = 500_000_000
"""Bytes."""
LEFT = 30
"""MiB by which the memory of a worker may grow."""
PIECE = 1 << 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """Return a server of two workers with the index ``root/dev``."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, workers=2) as running:
        auth = login(running)
        assert call(running, "PUT", "/root/dev", {"acl_upload": ["root"]}, auth).status == 200
        wait_until(lambda: len(workers(running)) == 2, "two workers")
        yield running


def memory(server: ServerProcess) -> dict[int, float]:
    """Return the memory of each worker, in MiB."""
    found = {}
    for pid in workers(server):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        found[pid] = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
    return found


def download(server: ServerProcess, path: str) -> tuple[int, str]:
    """Read an answer chunk by chunk; return its size and hash."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb", buffering=PIECE) as answer:
            assert answer.readline().split()[1] == b"200"
            while answer.readline() != b"\r\n":
                pass
            hasher, size = hashlib.sha256(), 0
            while piece := answer.read(PIECE):
                hasher.update(piece)
                size += len(piece)
    return size, hasher.hexdigest()


def test_a_hundred_clients_cause_one_download(server: ServerProcess, upstream: Upstream) -> None:  # noqa: F811
    """All clients that ask for the same new large file get it completely, with one request to the upstream."""
    large = upstream.add(wheel("large", "1.0", size=LARGE))
    config = {"type": "mirror", "mirror_url": upstream.url}
    assert call(server, "PUT", "/root/up", config, login(server)).status == 200
    assert call(server, "GET", "/root/up/+simple/large/").status == 200

    with ThreadPoolExecutor(CLIENTS) as clients:
        found = list(clients.map(lambda _: download(server, f"/root/up/{address(large)}"), range(CLIENTS)))

    assert set(found) == {(len(large.content), large.sha256)}
    assert upstream.count(upstream.file_path(large)) == 1


def test_memory_after_huge_files(server: ServerProcess) -> None:
    """500 MB up and down several times change the memory of a worker by less than 30 MiB."""
    auth = login(server)
    for _ in range(20):
        call(server, "GET", "/root/dev/+simple/")
    before = memory(server)

    huge = wheel("huge", size=HUGE)
    assert send(server, auth, "root/dev", huge).status == 200
    found = {download(server, f"/root/dev/{address(huge)}") for _ in range(4)}

    after = memory(server)
    assert found == {(len(huge.content), huge.sha256)}
    assert set(after) == set(before)  # none has been replaced by one that is as good as new
    assert [pid for pid in after if after[pid] - before[pid] > LEFT] == []
