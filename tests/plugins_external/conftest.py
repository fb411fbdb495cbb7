"""Strangers' plugins, built and installed as their authors would have it: by pip, found by their entry points."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import CHEAP_HASHING, RunningServer, clean_environment

HERE = Path(__file__).parent

Answer = tuple[int, dict[str, Any]]


class Visitor:
    """Talks to a running server."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server

    def __call__(self, method: str, path: str, body: Any = None, auth: tuple[str, str] | None = None) -> Answer:
        """Send a request on a connection of its own, so that any of the workers may answer."""
        request = urllib.request.Request(self.server.url + path.lstrip("/"), method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
        if auth is not None:
            request.add_header("X-Devpi-Auth", b64encode(":".join(auth).encode()).decode())
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def login(self, user: str, password: str) -> tuple[str, str]:
        """Log in and return what ``auth`` takes."""
        status, answer = self("POST", "/+login", {"user": user, "password": password})
        assert status == 200, answer
        return user, answer["result"]["password"]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Install a distribution of this folder, once, into a folder of its own that can stand on ``PYTHONPATH``."""
    ready: dict[str, Path] = {}

    def install(name: str) -> Path:
        if name not in ready:
            target = tmp_path_factory.mktemp(name)
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
            source = tmp_path_factory.mktemp("source") / name
            subprocess.run(["cp", "-r", HERE / name, source], check=True)
            subprocess.run(
                [*pip, "--no-index", "--no-deps", "--no-build-isolation", "--target", target, source],
                check=True,
                env=clean_environment(),
            )
            ready[name] = target
        return ready[name]

    return install


@pytest.fixture
def serve(
    tmp_path: Path, installed: Callable[[str], Path], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visitor]]:
    """Start a server with two workers, strangers' plugins and options; it ends with the test."""
    running: list[RunningServer] = []

    def start(*options: str, plugins: tuple[str, ...]) -> Visitor:
        path = os.pathsep.join(str(installed(name)) for name in plugins)
        server = RunningServer(
            tmp_path / "server", *options, workers=2, env=clean_environment(PYTHONPATH=path), cwd=tmp_path
        )
        running.append(server.start())
        return Visitor(server)

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def cheap() -> tuple[str, ...]:
    """Options that make hashing cheap, where the bundled plugin for it takes part."""
    return CHEAP_HASHING
