"""Sends requests and raw bytes to a server process, and controls its processes."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from wheelgate.testing.server_process import ServerProcess, clean_environment

Auth = tuple[str, str]

ANSWER_TIMEOUT_SECONDS = 30
"""Time after which an expected answer or event counts as missing."""
ROOT_PASSWORD = "canary-root-password"
NO_ANSWER_ERRORS = (OSError, http.client.HTTPException)
"""Exceptions of a request that gets no answer."""


class HasPort(Protocol):
    """A server that requests can be sent to."""

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""


@dataclass(frozen=True, slots=True)
class Port:
    """A server of which only the port is known."""

    port: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a server."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def result(self) -> Any:
        """The ``result`` of the body."""
        return json.loads(self.content)["result"]

    @property
    def message(self) -> str:
        """The ``message`` of the body."""
        return str(json.loads(self.content)["message"])


class Connection:
    """A kept connection, opened again only after the server has announced to close it."""

    def __init__(self, server: HasPort) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_TIMEOUT_SECONDS)

    def call(self, method: str, path: str, body: Any = None, auth: Auth | None = None, **headers: str) -> Answer:
        """Send a request, with the body as JSON and the login as the ``devpi`` command sends it."""
        if auth is not None:
            headers["X-Devpi-Auth"] = base64.b64encode(":".join(auth).encode()).decode()
        self._http.request(method, path, None if body is None else json.dumps(body), headers)
        response = self._http.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def call(server: HasPort, method: str, path: str, body: Any = None, auth: Auth | None = None, **headers: str) -> Answer:
    """Send a request on a new connection."""
    with contextlib.closing(Connection(server)) as connection:
        return connection.call(method, path, body, auth, **headers)


def login(server: HasPort, user: str = "root", password: str = "") -> Auth:
    """Log in; return the name and the token."""
    answer = call(server, "POST", "/+login", {"user": user, "password": password})
    assert answer.status == 200, answer
    return user, answer.result["password"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """The bytes that a server sent back."""

    received: bytes
    closed: bool
    """Whether the server closed the connection."""

    @property
    def statuses(self) -> list[int]:
        """The statuses of the answers, in order."""
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", self.received)]


def send_bytes(server: HasPort, data: bytes, timeout: float = ANSWER_TIMEOUT_SECONDS) -> Exchange:
    """Send bytes and collect the answer until the server closes, or sends nothing for ``timeout`` seconds."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as connection:
        with contextlib.suppress(ConnectionError):  # the server may have answered and closed already
            connection.sendall(data)
        return read_all(connection)


def read_all(connection: socket.socket) -> Exchange:
    """Collect bytes until the server closes, or sends nothing for the socket's timeout."""
    received = b""
    while True:
        try:
            part = connection.recv(65536)
        except TimeoutError:
            return Exchange(received, closed=False)
        except ConnectionError:
            return Exchange(received, closed=True)
        if not part:
            return Exchange(received, closed=True)
        received += part


@contextlib.contextmanager
def launched(*arguments: str, **popen: Any) -> Iterator[subprocess.Popen[str]]:
    """Start ``devpi-server`` without waiting for it; its output can be read. Kill it at the end."""
    command = [str(Path(sys.executable).with_name("devpi-server")), *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean_environment(), **popen
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def announced_port(process: subprocess.Popen[str]) -> Port:
    """Read the output of the command until it prints its port."""
    assert process.stdout is not None
    output = ""
    for line in process.stdout:
        output += line
        if "listens on" in line:
            return Port(int(line.strip().rpartition(":")[2]))
    raise AssertionError(output)


def workers(server: ServerProcess) -> set[int]:
    """Return the process ids of the workers."""
    return {int(pid) for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()}


def kill_all(server: ServerProcess) -> None:
    """Kill master and workers at once, like a power cut; the server must be started with ``start_new_session``."""
    os.killpg(server.pid, signal.SIGKILL)
    server.stop()


def wait_until(happened: Callable[[], object], what: str) -> None:
    """Wait until a function returns something true."""
    deadline = time.monotonic() + ANSWER_TIMEOUT_SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"did not happen: {what}"
        time.sleep(0.05)
