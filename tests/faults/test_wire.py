"""Malformed and hostile requests: how they are refused, and that the connection then ends."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.helpers.wire import Connection, call, login, read_all, send_bytes

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment

pytestmark = pytest.mark.slow

LOGIN = b"POST /+login HTTP/1.1\r\nHost: localhost\r\n"
ROOT = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
SMUGGLED = b"DELETE /root/pypi HTTP/1.1\r\nHost: localhost\r\n\r\n"
MEGABYTE = 1_000_000


def chunked(size: int, chunk: int = 65536) -> bytes:
    """Return a chunked body of this many bytes."""
    return b"".join(b"%x\r\n%s\r\n" % (chunk, b"a" * chunk) for _ in range(size // chunk)) + b"0\r\n\r\n"


@pytest.fixture(scope="module", params=["with-fast", "without-fast"])
def either_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Start a server with each of gunicorn's two parsers: the one of the extra ``fast``, and the one in Python."""
    folder = tmp_path_factory.mktemp(request.param)
    environment = clean_environment()
    if request.param == "without-fast":
        for library in ("uvloop", "gunicorn_h1c"):
            (folder / f"{library}.py").write_text("raise ImportError\n")
        environment["PYTHONPATH"] = str(folder)
    with ServerProcess(folder / "server", *CHEAP_HASHING, env=environment) as server:
        yield server


# Two statuses if the two parsers differ.
REFUSED = {
    "length and chunks": ({400}, LOGIN + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "two lengths": ({400}, LOGIN + b"Content-Length: 5\r\nContent-Length: 50\r\n\r\nabcde" + SMUGGLED),
    "a list of lengths": ({400}, LOGIN + b"Content-Length: 5, 50\r\n\r\nabcde" + SMUGGLED),
    "a negative length": ({400}, LOGIN + b"Content-Length: -1\r\n\r\n" + SMUGGLED),
    "a length with a sign": ({400}, LOGIN + b"Content-Length: +5\r\n\r\nabcde" + SMUGGLED),
    "a length in hexadecimal": ({400}, LOGIN + b"Content-Length: 0x5\r\n\r\nabcde" + SMUGGLED),
    "a length above 2**64": ({400}, LOGIN + b"Content-Length: %d\r\n\r\nabcde" % (2**64 + 5) + SMUGGLED),
    "a length of 5000 digits": ({400}, LOGIN + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + SMUGGLED),
    "another coding": ({400, 501}, LOGIN + b"Transfer-Encoding: gzip, chunked, identity\r\n\r\n" + SMUGGLED),
    "a misspelt coding": ({400, 501}, LOGIN + b"Transfer-Encoding: xchunked\r\n\r\n" + SMUGGLED),
    "invalid chunks": ({400}, LOGIN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk of 2**64 bytes": ({400}, LOGIN + b"Transfer-Encoding: chunked\r\n\r\n1" + b"0" * 16 + b"\r\n{" + SMUGGLED),
    "a long chunk size": ({400}, LOGIN + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 5000 + b"\r\n{" + SMUGGLED),
    "two hosts": ({400}, ROOT + b"Host: elsewhere.example\r\n\r\n"),
    "no host": ({400}, b"GET / HTTP/1.1\r\nAccept: */*\r\n\r\n"),
    "a folded header": ({400}, ROOT + b"Accept: a\r\n Content-Length: 5\r\n\r\nabcde"),
    "a space before the colon": ({400}, ROOT + b"Content-Length : 5\r\n\r\nabcde"),
    "NUL in a header": ({400}, ROOT + b"Accept: a\0b\r\n\r\n"),
    "a header without a name": ({400}, ROOT + b": a\r\n\r\n"),
    "a header without a colon": ({400}, ROOT + b"Accept\r\n\r\n"),
    "no version": ({400}, b"GET /\r\n\r\n"),
    "HTTP/2": ({400}, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "not HTTP": ({400}, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    "a method in lower case": ({400}, b"get / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "bytes in the path": ({400}, b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "a long address": ({414}, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "a long query": ({414}, b"GET /?" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "a huge header": ({431}, ROOT + b"X-Devpi-Auth: " + b"a" * 9000 + b"\r\n\r\n"),
    "a thousand headers": ({400, 431}, ROOT + b"Accept: a\r\n" * 1000 + b"\r\n"),
    "a long body": ({413}, LOGIN + b"Content-Length: %d\r\n\r\n" % (30 * MEGABYTE) + b"a" * 30 * MEGABYTE),
    "a long body in chunks": ({413}, LOGIN + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(30 * MEGABYTE)),
    "100 MB, no route": ({404}, b"PUT /a/b/c/d/e HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\na"),
}  # fmt: skip


@pytest.mark.parametrize(("allowed", "sent"), REFUSED.values(), ids=REFUSED)
def test_refuses_and_closes(either_server: ServerProcess, allowed: set[int], sent: bytes) -> None:
    """A request that is ambiguous, malformed or too long is refused once, and the server reads nothing after it."""
    exchange = send_bytes(either_server, sent)
    assert len(exchange.statuses) == 1
    assert set(exchange.statuses) <= allowed
    assert exchange.closed
    assert b"\r\nconnection: close\r\n" in exchange.received.lower()
    assert b"\r\nx-content-type-options: nosniff\r\n" in exchange.received.lower()
    assert b"Traceback" not in exchange.received
    assert "pypi" in call(either_server, "GET", "/root").result["indexes"]


def test_a_long_body_is_refused_before_it_is_sent(either_server: ServerProcess) -> None:
    """A body that is announced as too long is refused after its first bytes."""
    exchange = send_bytes(either_server, LOGIN + b"Content-Length: %d\r\n\r\n{" % (2 * MEGABYTE))
    assert exchange.statuses == [413]
    assert exchange.closed


CREDENTIALS = b'{"user":"nobody","password":"1234"}'
WEBSOCKET = b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
HTTP_2 = b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n\r\n"
IN_TWO_CHUNKS = b"10\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (CREDENTIALS[:16], len(CREDENTIALS) - 16, CREDENTIALS[16:])
ACCEPTED = {
    "a body in chunks": (401, LOGIN + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + IN_TWO_CHUNKS),
    "an empty body": (400, LOGIN + b"Connection: close\r\nContent-Length: 0\r\n\r\n"),
    "no body": (400, LOGIN + b"Connection: close\r\n\r\n"),
    "HTTP/1.0": (200, b"GET / HTTP/1.0\r\n\r\n"),
    "OPTIONS": (200, b"OPTIONS / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    "an upgrade to WebSocket": (200, ROOT + b"Connection: close, Upgrade\r\n" + WEBSOCKET),
    "an upgrade to HTTP/2": (200, ROOT + b"Connection: close, Upgrade, HTTP2-Settings\r\n" + HTTP_2),
}


@pytest.mark.parametrize(("status", "sent"), ACCEPTED.values(), ids=ACCEPTED)
def test_unusual_requests_are_answered(either_server: ServerProcess, status: int, sent: bytes) -> None:
    """Unusual but valid requests are answered; a request to switch to another protocol is ignored."""
    exchange = send_bytes(either_server, sent)
    assert exchange.statuses == [status]


def test_pipelined_requests(either_server: ServerProcess) -> None:
    """Requests that are sent without waiting for answers are answered one after the other."""
    last = ROOT + b"Connection: close\r\n\r\n"
    exchange = send_bytes(
        either_server, (ROOT + b"\r\n") * 5 + b"GET /nobody HTTP/1.1\r\nHost: localhost\r\n\r\n" + last
    )
    assert exchange.statuses == [200] * 5 + [404, 200]


METHODS = {
    "/": {"GET", "HEAD", "OPTIONS"},
    "/+api": {"GET", "HEAD", "POST", "OPTIONS"},
    "/+login": {"POST", "OPTIONS"},
    "/+logout": {"POST", "OPTIONS"},
    "/+status": {"GET", "HEAD", "OPTIONS"},
    "/emilie": {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"},
    "/emilie/dev": {"GET", "HEAD", "POST", "PUSH", "PUT", "PATCH", "DELETE", "OPTIONS"},
}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "FOO", "M-SEARCH", "G!T"])
@pytest.mark.parametrize("path", METHODS)
def test_methods_that_are_not_allowed(index_server: ServerProcess, path: str, method: str) -> None:
    """Any other method gets 405 with the list of allowed methods."""
    if method in METHODS[path]:
        return
    answer = call(index_server, method, path)
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == METHODS[path]


def test_head_is_get_without_the_body(index_server: ServerProcess) -> None:
    """HEAD gets the status and the headers of GET, and no body."""
    with contextlib.closing(Connection(index_server)) as connection:
        for path in ("/", "/+api", "/root", "/nobody"):
            head, get = connection.call("HEAD", path), connection.call("GET", path)
            assert (head.status, head.content) == (get.status, b"")
            assert head.headers["content-length"] == str(len(get.content))


@pytest.fixture(scope="module")
def hasty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Start a server that waits one second for the head of a request, and one for a short body."""
    timeouts = ("--head-timeout", "1", "--body-timeout", "1")
    with ServerProcess(tmp_path_factory.mktemp("hasty") / "server", *CHEAP_HASHING, *timeouts) as server:
        yield server


@pytest.mark.parametrize(
    "sent", [b"", b"GET", ROOT, ROOT + b"Accept: "], ids=["nothing", "a word", "a line", "half a line"]
)
def test_a_head_that_does_not_arrive(hasty_server: ServerProcess, sent: bytes) -> None:
    """A client that does not finish the head gets 408 and is disconnected."""
    exchange = send_bytes(hasty_server, sent)
    assert exchange.statuses == [408]
    assert exchange.closed


def test_a_head_that_drips(hasty_server: ServerProcess) -> None:
    """Sending a byte now and then does not help: the timeout is for the whole head, and other clients are served."""
    with socket.create_connection(("127.0.0.1", hasty_server.port), timeout=30) as connection:
        with contextlib.suppress(ConnectionError):
            for letter in ROOT + b"Accept: " + b"a" * 200:
                connection.sendall(bytes([letter]))
                assert call(hasty_server, "GET", "/+api").status == 200
                time.sleep(0.05)
            pytest.fail("the server did not disconnect")
        exchange = read_all(connection)
    assert exchange.closed
    assert exchange.statuses in ([408], [])


FORM = b"Content-Type: multipart/form-data; boundary=x\r\n"
DRIPPING = {
    "with a length": (LOGIN + b"Content-Length: 600\r\n\r\n", b" "),
    "in chunks": (LOGIN + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a test result": (b"POST /root/dev/+f/a/b/c.whl HTTP/1.1\r\nHost: a\r\nContent-Length: 600\r\n\r\n", b" "),
    "an upload": (b"POST /root/dev HTTP/1.1\r\nHost: a\r\nContent-Length: 600\r\n" + FORM + b"\r\n--x\r\n", b"a"),
}


@pytest.mark.parametrize(("head", "drop"), DRIPPING.values(), ids=DRIPPING)
def test_a_body_that_drips(hasty_server: ServerProcess, head: bytes, drop: bytes) -> None:
    """Sending a byte of the body now and then does not help: the client gets 408 and is disconnected."""
    anonymous = {"acl_upload": [":ANONYMOUS:"], "acl_toxresult_upload": [":ANONYMOUS:"]}
    call(hasty_server, "PUT", "/root/dev", anonymous, auth=login(hasty_server, "root", ""))
    received = drip(hasty_server, head, drop, 500)
    assert received.startswith(b"HTTP/1.1 408 ")
    assert b"the request took too long to arrive" in received


def test_a_long_body_may_take_its_time(hasty_server: ServerProcess) -> None:
    """A body that arrives faster than the least rate is read to its end, however long it takes."""
    size = 30 * 300
    head = LOGIN + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % size
    assert drip(hasty_server, head, b" " * 300, 30).startswith(b"HTTP/1.1 400 ")


def drip(server: ServerProcess, head: bytes, drop: bytes, drops: int) -> bytes:
    """Send a head, and parts of the body one by one; return what comes back until the connection ends."""
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.1) as connection:
        connection.sendall(head)
        for _ in range(drops):
            with contextlib.suppress(TimeoutError):
                connection.sendall(drop)
                received += connection.recv(65536)
                if received:
                    break
        connection.settimeout(30)
        with contextlib.suppress(ConnectionError):
            while data := connection.recv(65536):
                received += data
    return received


def test_a_kept_connection_that_falls_silent(hasty_server: ServerProcess) -> None:
    """A kept connection is closed if nothing more arrives, even in the middle of a head."""
    with ThreadPoolExecutor(2) as pool:
        for exchange in pool.map(lambda rest: send_bytes(hasty_server, ROOT + b"\r\n" + rest), (b"", ROOT)):
            assert exchange.statuses == [200]
            assert exchange.closed


def test_idle_connections_block_no_requests(index_server: ServerProcess) -> None:
    """With 500 idle connections and 100 incomplete requests, all other requests are answered."""
    address = ("127.0.0.1", index_server.port)
    with contextlib.ExitStack() as stack:
        for number in range(600):
            connection = stack.enter_context(socket.create_connection(address, timeout=30))
            if number >= 500:
                connection.sendall(LOGIN + b"Content-Length: 100\r\n\r\n{"[: 20 + number % 40])
        root = login(index_server)
        assert [call(index_server, "GET", "/").status for _ in range(50)] == [200] * 50
        assert call(index_server, "PUT", "/root/beside-idle", {}, root).status == 200
