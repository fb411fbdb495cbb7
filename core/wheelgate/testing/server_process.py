"""A real server for a test: ``devpi-server`` as a separate process, on a free port, with its own folder."""

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

from wheelgate.testing.site import CHEAP_HASHING_SETTINGS, UNREACHABLE_UPSTREAM, Response

START_TIMEOUT_SECONDS = 30
STOP_TIMEOUT_SECONDS = 20
RESPONSE_TIMEOUT_SECONDS = 60

CHEAP_HASHING = tuple(f"--{key}={value}" for key, value in CHEAP_HASHING_SETTINGS.items())
"""Options of ``devpi-server`` with the lowest costs that argon2 allows."""


class ServerProcess:
    """``devpi-server`` as a process; tests can stop it and start it again with the same folder and port.

    ::

        with ServerProcess(tmp_path / "server", "--restrict-modify", "root") as server:
            root = server.login("root", "")
            assert server.request("PUT", "/emilie", {"password": "1234"}, auth=root).status == 201
    """

    def __init__(
        self, serverdir: Path, *options: str, workers: int = 1, command: Sequence[str] = (), **popen: Any
    ) -> None:
        """Describe the process; :meth:`start` or ``with`` starts it.

        Args:
            serverdir: the server's folder; it may be new, or the folder of an earlier server. The log is beside it.
            options: further options of ``devpi-server``.
            workers: the number of worker processes.
            command: the command to start; ``devpi-server`` of the environment of the test if not given.
            popen: further arguments of ``subprocess.Popen``. Without ``env`` the environment is a clean one.
        """
        self.serverdir = serverdir
        takes_upstream = {"--no-plugin", "--no-root-pypi", "--root-pypi-url"}.isdisjoint(options)
        self.options = (*options, "--root-pypi-url", UNREACHABLE_UPSTREAM) if takes_upstream else options
        self.workers = workers
        self.command = command or (str(Path(sys.executable).with_name("devpi-server")),)
        self.popen = {"env": clean_environment(), **popen}
        self.port = free_port()
        self.log = serverdir.with_name(f"{serverdir.name}.log")
        self._process: subprocess.Popen[bytes] | None = None
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @property
    def url(self) -> str:
        """The root of the server, ``http://127.0.0.1:PORT/``."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int:
        """The ID of the main process; the workers are its children."""
        return self._started.pid

    @property
    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("call start() first, or use the server in a with statement")
        return self._process

    def start(self) -> Self:
        """Start the server and wait for its first response.

        Raises:
            RuntimeError: the process ended, or did not respond within 30 seconds; the message includes the log.
        """
        command = [
            *self.command,
            *("--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers)),
            *("--serverdir", str(self.serverdir)),
            *self.options,
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the test chooses the command
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.popen
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if self._started.poll() is not None:
                raise RuntimeError(f"devpi-server ended during its start:\n{self.log.read_text()}")
            try:
                with self._direct.open(f"{self.url}+api", timeout=2):
                    return
            except urllib.error.HTTPError as error:
                error.close()  # 401 under --require-login: the server has started
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(
            f"devpi-server did not respond within {START_TIMEOUT_SECONDS} seconds:\n{self.log.read_text()}"
        )

    def stop(self) -> None:
        """Send SIGTERM and wait for the process to end; send SIGKILL after 20 seconds."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_SECONDS)
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
    ) -> Response:
        """Send a request on a new connection, so that any worker may respond; return the response.

        Args:
            method: GET, PUT and so on.
            path: the path, with a query if needed.
            body: bytes are sent unchanged, any other value as JSON; None sends no body.
            auth: a user name with a password or a login token, sent in the header that ``devpi`` uses.
            headers: further headers.
        """
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the URL is http
            self.url + path.lstrip("/"), data, dict(headers or {}), method=method
        )
        if auth is not None:
            request.add_header("X-Devpi-Auth", base64.b64encode(":".join(auth).encode()).decode())
        try:
            with self._direct.open(request, timeout=RESPONSE_TIMEOUT_SECONDS) as response:
                return Response(response.status, lowercase_names(response.headers), response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Response(error.code, lowercase_names(error.headers), error.read())

    def login(self, user: str, password: str) -> tuple[str, str]:
        """Log in; return the user name and the login token, to pass as ``auth``."""
        response = self.request("POST", "/+login", {"user": user, "password": password})
        if response.status != 200:
            raise AssertionError(f"cannot log in as {user}: {response.status} {response.content!r}")
        return user, str(response.result["password"])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def lowercase_names(headers: Message) -> dict[str, str]:
    """Return headers by their names in lower case, as :class:`Response` has them."""
    return {name.lower(): value for name, value in headers.items()}


def clean_environment(**variables: str) -> dict[str, str]:
    """Return an environment without the developer's own settings, with these variables added."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "COVERAGE_PROCESS_START") if name in os.environ
    }
    return {**kept, "LANG": "C.UTF-8", **variables}


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
