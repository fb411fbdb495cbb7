"""Large files: many clients share one download, and the server's memory does not grow."""

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
from tests.helpers.wire import ANSWER_TIMEOUT_SECONDS, call, login, wait_until, workers
from tests.helpers.wire_uploads import send

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CLIENTS = 100
LARGE_BYTES = 50_000_000
HUGE_BYTES = 500_000_000
MAX_GROWTH_MIB = 30
"""Memory that a worker may keep after large transfers."""
READ_BYTES = 1 << 20


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
    """Download a file without storing it; return its size and its hash."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=ANSWER_TIMEOUT_SECONDS) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb", buffering=READ_BYTES) as answer:
            assert answer.readline().split()[1] == b"200"
            while answer.readline() != b"\r\n":
                pass
            hasher, size = hashlib.sha256(), 0
            while piece := answer.read(READ_BYTES):
                hasher.update(piece)
                size += len(piece)
    return size, hasher.hexdigest()


def test_a_hundred_clients_cause_one_download(server: ServerProcess, upstream: Upstream) -> None:  # noqa: F811
    """If many clients ask for a large file at once, each gets it whole, and the upstream is asked once."""
    large = upstream.add(wheel("large", "1.0", size=LARGE_BYTES))
    config = {"type": "mirror", "mirror_url": upstream.url}
    assert call(server, "PUT", "/root/up", config, login(server)).status == 200
    assert call(server, "GET", "/root/up/+simple/large/").status == 200

    with ThreadPoolExecutor(CLIENTS) as clients:
        found = list(clients.map(lambda _: download(server, f"/root/up/{address(large)}"), range(CLIENTS)))

    assert set(found) == {(len(large.content), large.sha256)}
    assert upstream.count(upstream.file_path(large)) == 1


def test_memory_after_huge_files(server: ServerProcess) -> None:
    """Transfers of 500 MB, several times, leave the memory of each worker within 30 MiB of what it was."""
    auth = login(server)
    for _ in range(20):
        call(server, "GET", "/root/dev/+simple/")
    before = memory(server)

    huge = wheel("huge", size=HUGE_BYTES)
    assert send(server, auth, "root/dev", huge).status == 200
    found = {download(server, f"/root/dev/{address(huge)}") for _ in range(4)}

    after = memory(server)
    assert found == {(len(huge.content), huge.sha256)}
    assert set(after) == set(before)  # no worker was replaced, which would hide growth
    assert [pid for pid in after if after[pid] - before[pid] > MAX_GROWTH_MIB] == []
