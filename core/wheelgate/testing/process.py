"""A real server inside a test: ``devpi-server`` as a process of its own, on a free port, in its own folder."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from email.message import Message
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from wheelgate.testing.site import Answer

START_WITHIN = 30
STOP_WITHIN = 20
ANSWER_WITHIN = 60
"""Seconds."""

NOWHERE = "http://127.0.0.1:9/simple/"
"""What root/pypi mirrors in tests: nobody listens there, so no test asks a public index by mistake."""

CHEAP_HASHING = ("--argon2-memory-cost", "8", "--argon2-time-cost", "1", "--argon2-parallelism", "1")
"""Options that make hashing as cheap as argon2 can."""


class RunningServer:
    """``devpi-server`` as a process; it can be stopped and started again on the same folder and port.

    ::

        with RunningServer(tmp_path / "server", "--restrict-modify", "root") as server:
            root = server.login("root", "")
            assert server.request("PUT", "/emilie", {"password": "1234"}, auth=root).status == 201
    """

    def __init__(
        self, serverdir: Path, *options: str, workers: int = 1, command: Sequence[str] = (), **popen: Any
    ) -> None:
        """Describe the server; :meth:`start`, or ``with``, starts it.

        Args:
            serverdir: the server's folder; a new one, or that of an earlier server. The log stands beside it.
            options: further options of the command.
            workers: how many processes answer.
            command: what starts it; ``devpi-server`` of the environment that the test runs in if not given.
            popen: arguments of ``subprocess.Popen``. The environment is a clean one if none is given.
        """
        self.serverdir = serverdir
        own = {"--no-plugin", "--no-root-pypi", "--root-pypi-url"}.isdisjoint(options)
        self.options = (*options, "--root-pypi-url", NOWHERE) if own else options
        self.workers = workers
        self.command = command or (str(Path(sys.executable).with_name("devpi-server")),)
        self.popen = {"env": clean_environment(), **popen}
        self.port = free_port()
        self.log = serverdir.with_name(f"{serverdir.name}.log")
        self._process: subprocess.Popen[bytes] | None = None
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @property
    def url(self) -> str:
        """The server's root, ``http://127.0.0.1:PORT/``."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int:
        """The process that was started; the workers are its children."""
        return self._started.pid

    @property
    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the server is not started")
        return self._process

    def start(self) -> Self:
        """Start the server and wait until it answers.

        Raises:
            RuntimeError: it ended at once, or does not answer within 30 s; with what it has logged.
        """
        command = [
            *self.command,
            *("--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers)),
            *("--serverdir", str(self.serverdir)),
            *self.options,
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - what the test says
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.popen
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + START_WITHIN
        while time.monotonic() < deadline:
            if self._started.poll() is not None:
                raise RuntimeError(f"devpi-server ended at once:\n{self.log.read_text()}")
            try:
                with self._direct.open(f"{self.url}+api", timeout=2):
                    return
            except urllib.error.HTTPError as error:
                error.close()  # a server that everybody has to log in to has started, too
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"devpi-server did not answer:\n{self.log.read_text()}")

    def stop(self) -> None:
        """End the server as an administrator would, and wait for it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request on a connection of its own, so that any of the workers may answer.

        Args:
            method: GET, PUT and so on.
            path: with the query, where there is one.
            body: bytes are sent as they are, anything else as JSON; None sends nothing.
            auth: a name with a password or a login token, sent as the ``devpi`` command does.
            headers: further headers.
        """
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - of a server in a test
            self.url + path.lstrip("/"), data, dict(headers or {}), method=method
        )
        if auth is not None:
            request.add_header("X-Devpi-Auth", base64.b64encode(":".join(auth).encode()).decode())
        try:
            with self._direct.open(request, timeout=ANSWER_WITHIN) as answer:
                return Answer(answer.status, lower(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, lower(error.headers), error.read())

    def login(self, user: str, password: str) -> tuple[str, str]:
        """Log in and return what ``auth`` takes: the name and the token."""
        answer = self.request("POST", "/+login", {"user": user, "password": password})
        if answer.status != 200:
            raise AssertionError(f"login of {user} failed: {answer.status} {answer.content!r}")
        return user, str(answer.result["password"])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def lower(headers: Message) -> dict[str, str]:
    """Return headers by their names in lower case, as :class:`Answer` has them."""
    return {name.lower(): value for name, value in headers.items()}


def clean_environment(**variables: str) -> dict[str, str]:
    """Return an environment in which nothing of the developer's own settings counts."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "COVERAGE_PROCESS_START") if name in os.environ
    }
    return {**kept, "LANG": "C.UTF-8", **variables}


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
