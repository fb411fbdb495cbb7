"""The load: repeated requests over raw sockets, which use little CPU themselves."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 60.0
CLIENT_HEADERS = {
    "User-Agent": "devpi-client/7.3.0 (py3.11; linux)",
    "Accept-Encoding": "gzip, deflate",
    "Accept": "application/json",
}
RECONNECTS_PER_SAMPLE = 8
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNKED_ENCODING = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
CONNECTION_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
ETAG = re.compile(rb"\r\netag: *([^\r]+)", re.IGNORECASE)
STATUSES_WITHOUT_BODY = (204, 304)


def request(method: str, path: str, body: Mapping[str, Any] | None = None, credentials: str = "") -> bytes:
    """Return the bytes of a request as the incumbent's client sends it.

    Args:
        method: HTTP method.
        path: path of the URL.
        body: the body, sent as JSON.
        credentials: ``name:secret``, where the secret is a password or a login token.
    """
    content = None if body is None else json.dumps(body).encode()
    return write(method, path, CLIENT_HEADERS, content, "application/json", credentials)


def write(
    method: str,
    path: str,
    headers: Mapping[str, str],
    content: bytes | None = None,
    content_type: str = "",
    credentials: str = "",
) -> bytes:
    """Return the bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", "Connection: keep-alive"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if credentials:
        lines.append(f"X-Devpi-Auth: {base64.b64encode(credentials.encode()).decode()}")
    if content is not None:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (content or b"")


class Connection:
    """A kept connection; if the server closes it after an answer, the next request opens another."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self.etag = ""
        """The ETag of the last answer."""
        self._open()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.close()

    def ask(self, sent: bytes) -> tuple[int, bytes]:
        """Send a request and return status and body of the answer."""
        self.send(sent)
        return self.receive()

    def send(self, sent: bytes) -> None:
        """Send a request."""
        self._open().sendall(sent)

    def receive(self) -> tuple[int, bytes]:
        """Return status and body of the answer."""
        received = self._more()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        head, rest, status = received[: end + 2], received[end + 4 :], int(received[9:12])
        length = CONTENT_LENGTH.search(head)
        if length is not None:
            body = self._whole(rest, int(length[1]))
        elif CHUNKED_ENCODING.search(head):
            body = self._chunks(rest)
        elif status in STATUSES_WITHOUT_BODY:
            body = b""
        else:
            raise ConnectionError(f"an answer without a length: {head!r}")
        etag = ETAG.search(head)
        self.etag = etag[1].decode() if etag else ""
        if self._socket is not None and CONNECTION_CLOSE.search(head):
            self._socket.close()
            self._socket = None
        return status, body

    def _whole(self, begun: bytes, length: int) -> bytes:
        parts, missing = [begun], length - len(begun)
        while missing > 0:
            parts.append(self._more())
            missing -= len(parts[-1])
        return b"".join(parts) if len(parts) > 1 else begun

    def _chunks(self, received: bytes) -> bytes:
        parts: list[bytes] = []
        while True:
            while (end := received.find(b"\r\n")) < 0:
                received += self._more()
            length = int(received[:end], 16)
            chunk = self._whole(received[end + 2 :], length + 2)
            if not length:
                return b"".join(parts)
            parts.append(chunk[:length])
            received = chunk[length + 2 :]

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection((HOST, self._port), TIMEOUT_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _more(self) -> bytes:
        chunk = self._open().recv(1 << 20)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        return chunk


def ask_once(port: int, sent: bytes, expected: int = 200) -> Any:
    """Send one request over a new connection and return the decoded answer."""
    with Connection(port) as connection:
        status, body = connection.ask(sent)
    check(sent, status, body, expected)
    return json.loads(body)


def ask_often(port: int, make: Callable[[int], bytes], connections: int, expected: int, times: int) -> None:
    """Send the requests number 0 to ``times`` - 1, one at a time over each connection, and check their status.

    Chance decides which worker gets a connection, and two workers that share the work cost more than one that has it
    all. Opening new connections now and then reduces the influence of chance.
    """
    portion = max(connections, -(-times // RECONNECTS_PER_SAMPLE))
    for begin in range(0, times, portion):
        with ExitStack() as stack:
            opened = [stack.enter_context(Connection(port)) for _ in range(connections)]
            for first in range(begin, end := min(begin + portion, times), connections):
                sent_requests = [(connection, make(first + i)) for i, connection in enumerate(opened[: end - first])]
                for connection, sent in sent_requests:
                    connection.send(sent)
                for connection, sent in sent_requests:
                    check(sent, *connection.receive(), expected)


def check(sent: bytes, status: int, body: bytes, expected: int = 200) -> None:
    """Raise ``ConnectionError`` for an unexpected answer."""
    if status != expected:
        raise ConnectionError(f"{sent.split(b' HTTP')[0].decode()} was answered with {status}: {body[:500]!r}")


def login(port: int, name: str, password: str) -> str:
    """Log in and return the credentials for later requests."""
    answer = ask_once(port, request("POST", "/+login", {"user": name, "password": password}))
    return f"{name}:{answer['result']['password']}"
