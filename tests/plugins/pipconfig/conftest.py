"""The writers by their hook, a home of their own, and an index that records what it is asked."""

from __future__ import annotations

import threading
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
    """The writers as the client gets them, by the tool's name."""
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(wheelgate_pipconfig)
    manager.check_pending()
    (found,) = manager.hook.wheelgate_client_config_writers()
    return {writer.name: writer for writer in found}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home directory, with nothing in the environment that points elsewhere."""
    for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE", "XDG_CONFIG_HOME", "BUILDOUT_HOME"):
        monkeypatch.delenv(name, raising=False)
    directory = tmp_path / "home"
    directory.mkdir()
    monkeypatch.setenv("HOME", str(directory))
    return directory


@pytest.fixture
def make() -> Callable[[Edit], None]:
    """What the client does with an edit: replace the file in one step."""

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
    """A server on the loopback interface that knows no project; ``asked`` holds the paths, or as a proxy the URLs."""

    url: str
    asked: list[str]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield Recorder(f"http://127.0.0.1:{server.server_port}", asked)
        server.shutdown()
        thread.join()
