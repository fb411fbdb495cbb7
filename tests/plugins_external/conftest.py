"""Fixtures: third-party plugins, installed as pip installs them and found by their entry points."""

from __future__ import annotations

import json
import os
import shutil
import threading
import tomllib
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment

HERE = Path(__file__).parent

Answer = tuple[int, dict[str, Any]]
Load = Callable[[str], Any]


class ServerClient:
    """Sends requests to a running server."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server

    def __call__(self, method: str, path: str, body: Any = None, auth: tuple[str, str] | None = None) -> Answer:
        """Send a request on a new connection, so that any of the workers may answer."""
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
        """Log in and return the login in the form of ``auth``."""
        status, answer = self("POST", "/+login", {"user": user, "password": password})
        assert status == 200, answer
        return user, answer["result"]["password"]


class FakeService:
    """An external service that answers each token from a table."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.url = ""


@pytest.fixture(scope="module")
def service() -> Iterator[FakeService]:
    """Run the service."""
    fake = FakeService()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown = self.headers.get("JOB-TOKEN") or self.headers.get("Authorization") or ""
            status, said = fake.answers.get(shown, (401, {}))
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        fake.url = f"http://127.0.0.1:{server.server_port}"
        yield fake
        server.shutdown()
        thread.join()


def lay_out(source: Path, target: Path) -> None:
    """Install a distribution as pip would, from its ``pyproject.toml``, so that pip can also uninstall it.

    Building each takes a second; ``test_newplugin`` tests that pip's own installation works as well.
    """
    settings = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))
    project = settings["project"]
    info = target / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    with (info / "entry_points.txt").open("w") as entry_points:
        for group, entries in project["entry-points"].items():
            print(
                f"[{group}]", *(f"{name} = {module}" for name, module in entries.items()), sep="\n", file=entry_points
            )
    placed = [info]
    for package in settings["tool"]["setuptools"]["packages"]:
        shutil.copytree(source / package, target / package, ignore=shutil.ignore_patterns("__pycache__"))
        placed.append(target / package)
    files = [path.relative_to(target) for folder in placed for path in folder.rglob("*") if path.is_file()]
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in (*files, f"{info.name}/RECORD")))


@pytest.fixture(scope="module")
def load() -> Iterator[Load]:
    """Return a function that imports a plugin from this folder without installing it."""
    with pytest.MonkeyPatch.context() as monkeypatch:

        def load(name: str) -> Any:
            monkeypatch.syspath_prepend(HERE / name)
            return import_module(f"wheelgate_{name}")

        yield load


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Install a distribution of this folder, once, into its own folder for ``PYTHONPATH``."""
    ready: dict[str, Path] = {}

    def install(name: str) -> Path:
        if name not in ready:
            ready[name] = tmp_path_factory.mktemp(name)
            lay_out(HERE / name, ready[name])
        return ready[name]

    return install


@pytest.fixture(scope="module")
def serve_all(
    tmp_path_factory: pytest.TempPathFactory, installed: Callable[[str], Path]
) -> Iterator[Callable[..., ServerClient]]:
    """Start a server for all tests of a module."""
    with ExitStack() as running:
        yield partial(started, running, tmp_path_factory.mktemp("module"), installed)


@pytest.fixture
def serve(tmp_path: Path, installed: Callable[[str], Path]) -> Iterator[Callable[..., ServerClient]]:
    """Start a server with two workers, third-party plugins and options; it stops with the test."""
    with ExitStack() as running:
        yield partial(started, running, tmp_path, installed)


def started(
    running: ExitStack, folder: Path, installed: Callable[[str], Path], *options: str, plugins: tuple[str, ...]
) -> ServerClient:
    """Start a server in a folder."""
    path = os.pathsep.join(str(installed(name)) for name in plugins)
    server = ServerProcess(folder / "server", *options, workers=2, env=clean_environment(PYTHONPATH=path), cwd=folder)
    return ServerClient(running.enter_context(server))


@pytest.fixture(scope="session")
def cheap() -> tuple[str, ...]:
    """Return options that make hashing cheap, for servers with the bundled password login."""
    return CHEAP_HASHING
