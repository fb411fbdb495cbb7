"""Starts an object store that speaks S3: moto's server in a separate process."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from wheelgate.testing.server_process import clean_environment, free_port

START_TIMEOUT_SECONDS = 30

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "somebody",
    "AWS_SECRET_ACCESS_KEY": "swordfish",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Environment variables for its clients."""


class ObjectStore:
    """A running object store, which keeps everything in memory."""

    def __init__(self) -> None:
        self._numbers = count()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
        self._process = subprocess.Popen(
            command, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.stop()
                raise RuntimeError("moto's server did not start")
            time.sleep(0.1)

    def bucket(self) -> str:
        """Create a bucket and return its name."""
        name = f"bucket{next(self._numbers)}"
        self._ask("PUT", f"/{name}")
        return name

    def stop(self) -> None:
        """Stop the server."""
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            self._ask("GET", "/")
        except OSError:
            return False
        return True

    def _ask(self, method: str, path: str) -> None:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(urllib.request.Request(self.url + path, method=method), timeout=5):
            pass


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """Start one object store for all tests; each test creates its own bucket."""
    store = ObjectStore()
    yield store
    store.stop()
