"""The load: raw sockets that ask again and again, so cheap that they leave the processors to the servers."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

HOST = "127.0.0.1"
TIMEOUT = 60.0
PORTIONS = 8
"""How often new connections are opened in a sample."""
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def request(method: str, path: str, body: Mapping[str, Any] | None = None, credentials: str = "") -> bytes:
    """Write a request as the incumbent's client does.

    Args:
        method: HTTP method.
        path: path of the URL.
        body: what is sent as JSON.
        credentials: ``name:secret``, the secret being a password or a login token.
    """
    content = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {HOST}",
        "User-Agent: devpi-client/7.3.0 (py3.11; linux)",
        "Accept-Encoding: gzip, deflate",
        "Accept: application/json",
        "Connection: keep-alive",
    ]
    if credentials:
        lines.append(f"X-Devpi-Auth: {base64.b64encode(credentials.encode()).decode()}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Connection:
    """One connection that is kept alive."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, sent: bytes) -> tuple[int, bytes]:
        """Send a request and return status and body of the answer."""
        self.send(sent)
        return self.receive()

    def send(self, sent: bytes) -> None:
        """Send a request."""
        self._socket.sendall(sent)

    def receive(self) -> tuple[int, bytes]:
        """Return status and body of the answer."""
        received = self._more()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        length = LENGTH.search(received, 0, end + 2)
        if length is None:
            raise ConnectionError(f"an answer without Content-Length: {received[:end]!r}")
        whole = end + 4 + int(length[1])
        while len(received) < whole:
            received += self._more()
        return int(received[9:12]), received[end + 4 :]

    def _more(self) -> bytes:
        chunk = self._socket.recv(1 << 20)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        return chunk


def ask_once(port: int, sent: bytes, expected: int = 200) -> Any:
    """Send one request over a connection of its own and return the decoded answer."""
    with Connection(port) as connection:
        status, body = connection.ask(sent)
    check(sent, status, body, expected)
    return json.loads(body)


def ask_often(port: int, make: Callable[[int], bytes], connections: int, times: int) -> None:
    """Send the requests number 0 to ``times`` - 1, at any time one over each connection; all answers must be 200.

    Which worker gets a connection is chance, and two that share the work cost more than one that has it all: with new
    connections every now and then, chance counts for less.
    """
    portion = max(connections, -(-times // PORTIONS))
    for begin in range(0, times, portion):
        with ExitStack() as stack:
            opened = [stack.enter_context(Connection(port)) for _ in range(connections)]
            for first in range(begin, end := min(begin + portion, times), connections):
                under_way = [(connection, make(first + i)) for i, connection in enumerate(opened[: end - first])]
                for connection, sent in under_way:
                    connection.send(sent)
                for connection, sent in under_way:
                    check(sent, *connection.receive())


def check(sent: bytes, status: int, body: bytes, expected: int = 200) -> None:
    """Raise ``ConnectionError`` for an answer that was not expected."""
    if status != expected:
        raise ConnectionError(f"{sent.split(b' HTTP')[0].decode()} was answered with {status}: {body[:500]!r}")


def login(port: int, name: str, password: str) -> str:
    """Log in and return the credentials that later requests carry."""
    answer = ask_once(port, request("POST", "/+login", {"user": name, "password": password}))
    return f"{name}:{answer['result']['password']}"
