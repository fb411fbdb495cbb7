"""Uploads over a real connection: reason phrases, methods, Expect and lost connections."""

from __future__ import annotations

import base64
import http.client
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.upload_forms import address, encode, file_fields
from tests.helpers.wire import call, login, wait_until

from wheelgate.testing.server_process import ServerProcess

pytestmark = pytest.mark.slow

ABC = wheel("abc")
LARGE = b"x" * 20_000_000


@pytest.fixture
def index(index_server: ServerProcess, numbers: Iterator[int]) -> tuple[str, dict[str, str]]:
    """Create a user with an index; return the index's path, and the headers of the user's login."""
    name = f"uploader{next(numbers)}"
    assert call(index_server, "PUT", f"/{name}", {"password": "correct horse"}).status == 201
    user = login(index_server, name, "correct horse")
    assert call(index_server, "PUT", f"/{name}/dev", {}, user).status == 200
    return f"{name}/dev", {"X-Devpi-Auth": base64.b64encode(":".join(user).encode()).decode()}


def test_the_reason_is_in_the_status_line(index_server: ServerProcess, index: tuple[str, dict[str, str]]) -> None:
    """Upload tools print only the status line; the connection stays open."""
    path, auth = index
    body, headers = encode(file_fields(ABC))
    wrong, _ = encode(file_fields(ABC, sha256_digest="0" * 64))
    said = []
    with closing(http.client.HTTPConnection("127.0.0.1", index_server.port, timeout=20)) as connection:
        for sent, login_headers in ((body, {}), (wrong, auth), (body, auth), (LARGE + body, {})):
            connection.request("POST", f"/{path}/", sent, {**headers, **login_headers})
            answer = connection.getresponse()
            said.append((answer.status, answer.reason, answer.getheader("X-Wheelgate-Reason")))
            answer.read()

    refusal = f"no permission to submit to index {path}: acl_upload of index {path} does not list :ANONYMOUS:"
    anonymous = f"Unauthorized: not logged in: {refusal}"
    assert said[0] == said[3] == (401, anonymous, None)
    assert said[1][0] == 400
    assert "sha256_digest" in said[1][1]
    assert said[2] == (200, "OK", None)


LINE_ENDS = b"\r\n\n\r\r\n" * 200_000
"""Line ends of all kinds, more than a server reads at once; a wheel contains them as they are."""


@pytest.mark.parametrize("shift", range(3), ids=lambda shift: f"shifted by {shift}")
def test_a_file_in_a_form_with_line_feeds(
    shift: int, index_server: ServerProcess, index: tuple[str, dict[str, str]]
) -> None:
    """``setup.py upload_docs`` ends the lines of its form with LF; each byte of the file stays as it is."""
    path, auth = index
    dist = wheel("abc", more={"abc/lines.txt": b"x" * shift + LINE_ENDS})
    form = b"".join(line_feed_part(name, value) for name, value in file_fields(dist)) + b"\n--b--\n"

    with closing(http.client.HTTPConnection("127.0.0.1", index_server.port, timeout=20)) as connection:
        connection.request("POST", f"/{path}/", form, {**auth, "Content-Type": "multipart/form-data; boundary=b"})
        answer = connection.getresponse()
        answer.read()
        connection.request("GET", f"/{path}/{address(dist)}")
        stored = connection.getresponse().read()

    assert answer.status == 200, answer.reason
    assert stored == dist.content


def line_feed_part(name: str, value: str | tuple[str, bytes, str]) -> bytes:
    """Return a part of a form whose lines end with LF."""
    filename = "" if isinstance(value, str) else f'; filename="{value[0]}"'
    content = value.encode() if isinstance(value, str) else value[1]
    return f'\n--b\nContent-Disposition: form-data; name="{name}"{filename}\n\n'.encode() + content


WRONG_ADDRESSES = [
    ("POST", "/", 405),
    ("POST", "/legacy/", 405),
    ("POST", "/{index}/+simple/", 405),
    ("POST", "/{index}/a/b/c/d/", 404),
    ("POST", "/root/+simple/", 404),
    ("PUT", "/{index}/+simple/", 405),
    ("BREW", "/{index}/", 405),
    ("POST", "/{index}/", 401),
]


@pytest.mark.parametrize("in_chunks", [False, True], ids=["with a length", "in chunks"])
def test_a_refused_body_is_read(
    index_server: ServerProcess, index: tuple[str, dict[str, str]], in_chunks: bool
) -> None:
    """Every refusal waits for the body, and keeps the connection: a proxy answers 502 if it cannot send all of it."""
    body, headers = encode(file_fields(wheel("abc", size=3_000_000)))
    with closing(http.client.HTTPConnection("127.0.0.1", index_server.port, timeout=20)) as connection:
        for method, address, status in WRONG_ADDRESSES:
            sent = iter([body[:2_000_000], body[2_000_000:]]) if in_chunks else body
            connection.request(method, address.format(index=index[0]), sent, headers)
            answer = connection.getresponse()
            answer.read()

            assert (answer.status, answer.getheader("Connection")) == (status, None), (method, address)


def test_one_connection_takes_many_files(index_server: ServerProcess, index: tuple[str, dict[str, str]]) -> None:
    """The next file may follow at once after an answer: a client on this machine is often faster than the server."""
    path, auth = index
    with closing(http.client.HTTPConnection("127.0.0.1", index_server.port, timeout=20)) as connection:
        for number in range(20):
            body, headers = encode(file_fields(wheel("abc", f"{number}.0", size=100_000)))
            connection.request("POST", f"/{path}/", body, {**headers, **auth})
            answer = connection.getresponse()
            answer.read()

            assert (answer.status, answer.getheader("Connection")) == (200, None)


def test_push_is_a_method(index_server: ServerProcess, index: tuple[str, dict[str, str]]) -> None:
    """PUSH, a method of the incumbent's client, reaches its responder, and is among the allowed methods of a 405."""
    path, auth = index
    with closing(http.client.HTTPConnection("127.0.0.1", index_server.port, timeout=20)) as connection:
        connection.request("PUSH", f"/{path}", b"{}", auth)
        pushed = connection.getresponse()
        assert b"'name' must be given" in pushed.read()
        connection.request("BREW", f"/{path}", b"", auth)
        brewed = connection.getresponse()
        brewed.read()

    assert (pushed.status, brewed.status) == (400, 405)
    assert "PUSH" in (brewed.getheader("Allow") or "")


@pytest.mark.parametrize(
    ("address", "allowed", "status"), [("", False, b"401"), ("", True, b"200"), ("+simple/", True, b"405")]
)
def test_a_client_that_waits_for_100_gets_it(
    index_server: ServerProcess, index: tuple[str, dict[str, str]], address: str, allowed: bool, status: bytes
) -> None:
    """A client with ``Expect: 100-continue`` (RFC 9110, section 10.1.1) gets 100, and then its answer."""
    path, auth = index
    body, headers = encode(file_fields(ABC))
    head = {**headers, "Host": "packages.example", "Content-Length": str(len(body)), "Expect": "100-continue"}
    lines = [f"{name}: {value}" for name, value in {**head, **(auth if allowed else {})}.items()]

    with socket.create_connection(("127.0.0.1", index_server.port), timeout=20) as connection:
        connection.sendall("\r\n".join([f"POST /{path}/{address} HTTP/1.1", *lines, "", ""]).encode())
        first = connection.recv(1000)
        connection.sendall(body)
        second = connection.recv(1000)

    assert (first.split()[1], second.split()[1]) == (b"100", status)


def test_an_upload_that_is_cut_off_leaves_nothing(
    index_server: ServerProcess, index: tuple[str, dict[str, str]]
) -> None:
    """If the client disconnects in the middle of a file, its draft is removed."""
    path, auth = index
    body, headers = encode(file_fields(wheel("abc", size=5_000_000)))
    lines = [
        f"{name}: {value}" for name, value in {**headers, **auth, "Host": "x", "Content-Length": len(body)}.items()
    ]
    drafts = index_server.serverdir / "files" / "drafts"

    with socket.create_connection(("127.0.0.1", index_server.port), timeout=20) as connection:
        connection.sendall("\r\n".join([f"POST /{path}/ HTTP/1.1", *lines, "", ""]).encode() + body[:4_000_000])
        wait_until(lambda: list(drafts.glob("*")), "a draft")

    wait_until(lambda: not list(drafts.glob("*")), "no draft")
    assert call(index_server, "GET", f"/{path}").result["projects"] == []
