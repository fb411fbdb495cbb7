"""What tests of several folders share: a real ``devpi-server``, started and ended for them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

START_WITHIN = 30
STOP_WITHIN = 20
"""Seconds."""

NOWHERE = "http://127.0.0.1:9/simple/"
"""What root/pypi mirrors in tests: nobody listens there, so no test asks a public index by mistake."""

CHEAP_HASHING = ("--argon2-memory-cost", "8", "--argon2-time-cost", "1", "--argon2-parallelism", "1")


class RunningServer:
    """``devpi-server`` as a process of its own; it can be stopped and started again on the same folder and port."""

    def __init__(self, serverdir: Path, *options: str, workers: int = 1, **popen: Any) -> None:
        """Take the folder, further options of the command, the number of workers, and arguments of ``Popen``."""
        self.serverdir = serverdir
        own = {"--no-plugin", "--no-root-pypi", "--root-pypi-url"}.isdisjoint(options)
        self.options = (*options, "--root-pypi-url", NOWHERE) if own else options
        self.workers = workers
        self.popen = {"env": clean_environment(), **popen}
        self.port = free_port()
        self.log = serverdir.with_name(f"{serverdir.name}.log")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's root, ``http://127.0.0.1:PORT/``."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int:
        """The process that was started; the workers are its children."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Start the server and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    Path(sys.executable).with_name("devpi-server"),
                    *("--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers)),
                    *("--serverdir", self.serverdir),
                    *self.options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self.popen,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def _wait(self) -> None:
        assert self._process is not None
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + START_WITHIN
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"devpi-server ended at once:\n{self.log.read_text()}")
            try:
                with direct.open(f"{self.url}+api", timeout=2):
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

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


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
