"""How the tests of faults speak to a server, and how they get at its processes."""

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

PATIENCE = 30
"""Seconds until something that must happen soon counts as missing."""
ROOT_PASSWORD = "canary-root-password"
BROKEN = (OSError, http.client.HTTPException)
"""What a request raises that gets no answer."""


class HasPort(Protocol):
    """A server, as far as speaking to it goes."""

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""


@dataclass(frozen=True, slots=True)
class Port:
    """A server of which nothing but the port is known."""

    port: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

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
    """One connection that is kept; it is opened anew only where the server has said that it ends."""

    def __init__(self, server: HasPort) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)

    def call(self, method: str, path: str, body: Any = None, auth: Auth | None = None, **headers: str) -> Answer:
        """Send a request; the body as JSON, name and secret as the ``devpi`` command does."""
        if auth is not None:
            headers["X-Devpi-Auth"] = base64.b64encode(":".join(auth).encode()).decode()
        self._http.request(method, path, None if body is None else json.dumps(body), headers)
        response = self._http.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())

    def close(self) -> None:
        """Close it."""
        self._http.close()


def call(server: HasPort, method: str, path: str, body: Any = None, auth: Auth | None = None, **headers: str) -> Answer:
    """Send a request on a connection of its own."""
    with contextlib.closing(Connection(server)) as connection:
        return connection.call(method, path, body, auth, **headers)


def login(server: HasPort, user: str = "root", password: str = "") -> Auth:
    """Log in; return the name and the token."""
    answer = call(server, "POST", "/+login", {"user": user, "password": password})
    assert answer.status == 200, answer
    return user, answer.result["password"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came back for some bytes."""

    received: bytes
    closed: bool
    """Whether the server closed the connection."""

    @property
    def statuses(self) -> list[int]:
        """The statuses of the answers, in their order."""
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", self.received)]


def send_bytes(server: HasPort, data: bytes, patience: float = PATIENCE) -> Exchange:
    """Send bytes and gather what comes back until the server closes, or says nothing for ``patience`` seconds."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=patience) as connection:
        with contextlib.suppress(ConnectionError):  # the server may have answered and closed already
            connection.sendall(data)
        return read_all(connection)


def read_all(connection: socket.socket) -> Exchange:
    """Gather what comes until the server closes, or says nothing for the socket's timeout."""
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
    """Start ``devpi-server`` with these arguments and wait for nothing; what it says can be read. End it at the end."""
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
    """Read what the command says until it says on which port it listens."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "listens on" in line:
            return Port(int(line.strip().rpartition(":")[2]))
    raise AssertionError(said)


def workers(server: ServerProcess) -> set[int]:
    """Return the process ids of the workers."""
    return {int(pid) for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()}


def kill_all(server: ServerProcess) -> None:
    """Kill master and workers at once, as a power cut does; the server must lead a session of its own."""
    os.killpg(server.pid, signal.SIGKILL)
    server.stop()


def wait_until(happened: Callable[[], object], what: str) -> None:
    """Wait until a function returns something true."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.05)
