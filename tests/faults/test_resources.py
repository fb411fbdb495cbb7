"""A server without disk space, permissions, descriptors or its database reports it, and recovers by itself."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.postgres import PostgresServer, postgres, postgres_url  # noqa: F401
from tests.helpers.wire import NO_ANSWER_ERRORS, Connection, call, login, wait_until, workers

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of two megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True)
    if mount.returncode:
        pytest.skip("mounting a file system is not allowed here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(file: Path) -> None:
    """Write a file until the disk is full."""
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as full:
        while True:
            full.write(bytes(4096))


def test_a_full_disk(small_disk: Path) -> None:
    """Changes get 507 with a reason, reads and logins still work, and with new space changes work again."""
    with ServerProcess(small_disk / "server", *CHEAP_HASHING, workers=2) as server:
        root = login(server)
        fill(small_disk / "filler")
        made = 0
        while (answer := call(server, "PUT", f"/root/dev{made}", {"description": "x" * 2000}, root)).status == 200:
            made += 1
            assert made < 1000
        assert answer.status == 507
        assert "no space is left" in answer.message
        for _ in range(10):
            assert call(server, "PUT", f"/root/dev{made}", {"description": "x" * 9000}, root).status == 507
            assert set(call(server, "GET", "/root").result["indexes"]) == {"pypi", *(f"dev{n}" for n in range(made))}
            login(server)
        (small_disk / "filler").unlink()
        assert [call(server, "PUT", f"/root/dev{made + n}", {}, root).status for n in range(10)] == [200] * 10


def without_override() -> None:
    """Drop root's right to write read-only files from this process and its children (capabilities(7))."""
    drop_from_bounding_set, dac_override = 24, 1
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(drop_from_bounding_set, dac_override, 0, 0, 0):
        raise PermissionError("root cannot give up rights here")


def test_a_database_that_cannot_be_written_to(tmp_path: Path) -> None:
    """Changes get 503 with a reason, reads and logins still work; once it is writable, changes work again."""
    folder = tmp_path / "server"
    with ServerProcess(folder, *CHEAP_HASHING, preexec_fn=without_override) as server:
        root = login(server)
        files = [file for file in folder.iterdir() if file.name.startswith("wheelgate.db")]
        for file in files:
            file.chmod(0o400)
        folder.chmod(0o500)
        for _ in range(3):
            answer = call(server, "PUT", "/root/dev", {}, root)
            assert answer.status == 503
            assert "cannot be written to" in answer.message
            assert "dev" not in call(server, "GET", "/root").result["indexes"]
            login(server)
        folder.chmod(0o700)
        for file in files:
            file.chmod(0o600)
        assert call(server, "PUT", "/root/dev", {}, root).status == 200


def test_few_file_descriptors(tmp_path: Path) -> None:
    """With 64 descriptors and hundreds of connections, open connections are served; afterwards all requests are."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, workers=2) as server:
        for pid in (server.pid, *workers(server)):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (64, 64))
        root = login(server)
        with contextlib.closing(Connection(server)) as inside:
            assert inside.call("GET", "/").status == 200
            rush = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(300)]
            assert inside.call("GET", "/").status == 200
            assert inside.call("GET", "/").status == 200
            for connection in rush:
                connection.close()
        wait_until(lambda: answered(server), "requests are answered again")
        assert [call(server, "PUT", f"/root/dev{n}", {}, root).status for n in range(20)] == [200] * 20
        assert "Traceback" not in server.log.read_text()


def answered(server: ServerProcess) -> bool:
    """Whether twenty requests in a row are answered."""
    try:
        return [call(server, "GET", "/").status for _ in range(20)] == [200] * 20
    except NO_ANSWER_ERRORS:
        return False


def test_a_restart_of_the_database_server(
    tmp_path: Path,
    postgres: PostgresServer,  # noqa: F811
    postgres_url: str,  # noqa: F811
) -> None:
    """While PostgreSQL is stopped, answers are 503, even if a worker dies; after it is back, requests work again."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, "--database", postgres_url, workers=2) as server:
        connected = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'wheelgate'"
        wait_until(lambda: postgres.execute(connected) >= [(2,)], "both workers are there")
        root = login(server)
        postgres.stop()
        try:
            os.kill(min(workers(server)), signal.SIGKILL)
            for method, path in (("GET", "/"), ("PUT", "/root/dev")):
                answer = call(server, method, path, {}, root)
                assert answer.status == 503
                assert "does not answer" in answer.message
                assert int(answer.headers["retry-after"]) > 0
            wait_until(lambda: "a worker cannot start" in server.log.read_text(), "a worker that cannot start")
        finally:
            postgres.start()
        wait_until(lambda: answered(server), "the database is back")
        assert call(server, "PUT", "/root/dev", {}, root).status == 200
        assert "swordfish" not in server.log.read_text()
