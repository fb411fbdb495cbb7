"""Downloads of large files by fast clients, slow ones, and ones that disconnect."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.helpers.distributions import Distribution, wheel
from tests.helpers.upload_forms import address
from tests.helpers.wire import ANSWER_TIMEOUT_SECONDS, call, login, read_all, wait_until, workers
from tests.helpers.wire_uploads import send

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment

pytestmark = pytest.mark.slow

LARGE = wheel("large", size=20_000_000)
SMALL = wheel("small", size=1_000)


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Return a server with one worker and a short ``--send-timeout``, with two files that it has served before."""
    folder = tmp_path_factory.mktemp("sending")
    environment = clean_environment()
    if request.param == "asyncio":
        for library in ("uvloop", "gunicorn_h1c"):  # as if the extra `fast` were not installed
            (folder / f"{library}.py").write_text("raise ImportError\n")
        environment["PYTHONPATH"] = str(folder)
    options = (*CHEAP_HASHING, "--send-timeout", "1")
    with ServerProcess(folder / "server", *options, env=environment) as running:
        auth = login(running)
        assert call(running, "PUT", "/root/dev", {"acl_upload": ["root"]}, auth).status == 200
        for made in (LARGE, SMALL):
            assert send(running, auth, "root/dev", made).status == 200
            assert call(running, "GET", path(made)).content == made.content
        yield running


def path(made: Distribution) -> str:
    """Return the address of a file."""
    return f"/root/dev/{address(made)}"


def request_large(server: ServerProcess, buffer: int = 0) -> socket.socket:
    """Request the large file, with a receive buffer of this many bytes; 0 is the default."""
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(ANSWER_TIMEOUT_SECONDS)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(f"GET {path(LARGE)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    return connection


def descriptors(server: ServerProcess) -> int:
    """Count the open descriptors of the worker."""
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in workers(server))


def test_answers_follow_each_other_on_one_connection(server: ServerProcess) -> None:
    """Whole files, ranges and heads follow each other on one connection, complete and with nothing in between."""
    part = {"Range": "bytes=1234567-15000000"}
    asked = [("GET", LARGE, {}), ("GET", SMALL, {}), ("HEAD", LARGE, {}), ("GET", LARGE, part), ("GET", LARGE, {})]
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_TIMEOUT_SECONDS)) as connection:
        found = []
        for method, made, headers in [*asked, *asked]:
            connection.request(method, path(made), headers=headers)
            found.append(connection.getresponse().read())

    expected = [LARGE.content, SMALL.content, b"", LARGE.content[1_234_567:15_000_001], LARGE.content]
    assert [content == right for content, right in zip(found, expected * 2, strict=True)] == [True] * 10


def test_a_slow_client_gets_all_of_it(server: ServerProcess) -> None:
    """A client that reads little at a time gets the whole file."""
    with request_large(server, buffer=4096) as connection, connection.makefile("rb", buffering=0) as answer:
        received = b"".join(iter(lambda: answer.read(30_000), b""))

    assert received.partition(b"\r\n\r\n")[2] == LARGE.content


def test_a_client_that_reads_nothing_is_disconnected(server: ServerProcess) -> None:
    """After ``--send-timeout`` the answer is dropped; other clients never wait."""
    with request_large(server, buffer=4096) as connection:
        disconnected = server.log.read_text().count("had stopped receiving")
        assert call(server, "GET", path(SMALL)).content == SMALL.content
        wait_until(lambda: server.log.read_text().count("had stopped receiving") > disconnected, "it is disconnected")
        received = read_all(connection)

    assert received.closed
    assert len(received.received) < len(LARGE.content)


def test_disconnected_clients_leave_nothing_open(server: ServerProcess) -> None:
    """Downloads that clients abort leave no files and sockets open."""
    before = descriptors(server)
    for _ in range(20):
        with request_large(server) as connection:
            assert connection.recv(1) == b"H"

    wait_until(lambda: descriptors(server) <= before, "files and sockets are closed")


def test_a_file_that_is_deleted_while_it_is_sent(server: ServerProcess) -> None:
    """A client that has started to receive a file gets the rest of it, even if the file is deleted."""
    auth = login(server)
    with request_large(server, buffer=4096) as connection:
        assert connection.recv(1) == b"H"
        assert call(server, "DELETE", path(LARGE), {}, auth).status == 200
        stored = server.serverdir / "files" / "sha256" / LARGE.sha256[:2] / LARGE.sha256[2:]
        wait_until(lambda: not stored.exists(), "the file is removed")
        with connection.makefile("rb") as answer:
            received = answer.read()

    assert received.partition(b"\r\n\r\n")[2] == LARGE.content
    assert call(server, "GET", path(LARGE)).status == 410
