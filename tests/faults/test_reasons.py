"""The reason phrase of the status line: when an upload is refused, tools print nothing else."""

from __future__ import annotations

import base64

import pytest
from tests.helpers.upload_forms import BOUNDARY, encode
from tests.helpers.wire import call, login, send_bytes

from wheelgate.testing.server_process import ServerProcess

pytestmark = pytest.mark.slow


def posted(path: str, **fields: str) -> bytes:
    """Return the bytes of an upload."""
    body, headers = encode(list(fields.items()))
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        pytest.param(
            posted("/root/pypi/", **{":action": "file_upload"}), b"404 cannot submit to mirror index", id="refused"
        ),
        pytest.param(
            b"GET /root/pypi/+simple/ HTTP/1.1\r\nHost: localhost\r\nAccept: image/png\r\nConnection: close\r\n\r\n",
            b"406 Not Acceptable",
            id="unknown-to-gunicorn",
        ),
        pytest.param(b"GET /+api HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"200 OK", id="ordinary"),
    ],
)
def test_the_status_line_contains_the_reason(index_server: ServerProcess, request_: bytes, line: bytes) -> None:
    """The status line of a refused upload contains the reason, and the internal header for it is removed."""
    head, _, _ = send_bytes(index_server, request_).received.partition(b"\r\n\r\n")

    assert head.split(b"\r\n")[0] == b"HTTP/1.1 " + line
    assert b"x-wheelgate-reason" not in head.lower()


def test_no_text_breaks_out_of_the_status_line(index_server: ServerProcess) -> None:
    """No text in a form can add headers to the answer."""
    auth = login(index_server)
    call(index_server, "PUT", "/root/reasons", {"acl_upload": ["root"]}, auth)
    credentials = "X-Devpi-Auth: " + base64.b64encode(":".join(auth).encode()).decode()
    text = "abc\r\nX-Forged: yes\r\n\r\n\x85é€" + "x" * 5000
    sent = posted("/root/reasons/", **{":action": text, "name": text, "version": text})
    answer = send_bytes(index_server, sent.replace(b"\r\n", f"\r\n{credentials}\r\n".encode(), 1))
    line, _, rest = answer.received.partition(b"\r\n")

    assert line.startswith(b"HTTP/1.1 400 ")
    assert b"abc" in line
    assert line.isascii()
    assert len(line) < 600
    assert b"x-forged: yes" not in rest.partition(b"\r\n\r\n")[0].lower()
    assert BOUNDARY.encode() not in answer.received
