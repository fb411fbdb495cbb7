"""The writers from their hook, a home directory, and a server that records its requests."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pluggy
import pytest

import wheelgate_pipconfig
from wheelgate_client import hookspecs
from wheelgate_client.hookspecs import ConfigWriter, Edit


@pytest.fixture(scope="session")
def writers() -> dict[str, ConfigWriter]:
    """Return the writers by name, as the client gets them."""
    manager = pluggy.PluginManager(hookspecs.CLIENT_PLUGIN_GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(wheelgate_pipconfig)
    manager.check_pending()
    (found,) = manager.hook.wheelgate_client_config_writers()
    return {writer.name: writer for writer in found}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a new home directory, and clear the variables that point elsewhere."""
    for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "XDG_CONFIG_HOME", "BUILDOUT_HOME", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    directory = tmp_path / "home"
    directory.mkdir()
    monkeypatch.setenv("HOME", str(directory))
    return directory


@pytest.fixture
def make() -> Callable[[Edit], None]:
    """Return a function that makes an edit as the client does: in one step."""

    def replace(edit: Edit) -> None:
        if edit.after is None:
            edit.path.unlink(missing_ok=True)
        else:
            edit.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = edit.path.with_name("fresh")
            fresh.write_bytes(edit.after)
            fresh.replace(edit.path)

    return replace


@dataclass(frozen=True)
class Recorder:
    """A server on the loopback interface that knows no project and accepts every upload.

    ``asked`` contains the paths of the requests, or their URLs if the server is used as a proxy; ``logins`` contains
    the ``user:password`` of each.
    """

    url: str
    asked: list[str]
    logins: list[str | None]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    asked: list[str] = []
    logins: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            _, _, login = self.headers.get("Authorization", "").partition("Basic ")
            logins.append(b64decode(login).decode() or None)
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send_response(404 if self.command == "GET" else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the library looks for these names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield Recorder(f"http://127.0.0.1:{server.server_port}", asked, logins)
        server.shutdown()
        thread.join()


@pytest.fixture
def run(home: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Return a function that runs a command in the new home; a proxy refuses connections to other machines."""
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{refusing.getsockname()[1]}"
        base = {
            "HOME": str(home),
            "PATH": os.defpath,
            "HTTP_PROXY": proxy,
            "HTTPS_PROXY": proxy,
            "NO_PROXY": "127.0.0.1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_RETRIES": "0",
            "UV_HTTP_RETRIES": "0",
            "UV_NO_CACHE": "1",
            "UV_PYTHON_DOWNLOADS": "never",
        }

        def command(*argv: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(argv, env={**base, **environment}, cwd=home, capture_output=True, text=True)

        yield command
