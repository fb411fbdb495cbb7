"""Servers of simple pages that other people put before this one."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.index_host import USER, IndexHost
from tests.helpers.installers import COMMANDS, installed
from tests.helpers.old_tools import OldTool
from tests.helpers.released_tools import ProxyTrap, ToolHome

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, free_port

pytestmark = pytest.mark.slow

SIMPLE_REPOSITORY = OldTool("", ("simple-repository-server==0.10.0",))
START_TIMEOUT_SECONDS = 60
APP = wheel("private-app", "1.0", requires_dist=["alpha"])
ALPHA = wheel("alpha", "2.0")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexHost]:
    """Start a server with an index that only alice may read."""
    with ServerProcess(tmp_path_factory.mktemp("host") / "server", *CHEAP_HASHING) as server:
        host = IndexHost.create(server)
        host.make_index("private", acl_read=[])
        host.upload("private", APP, ALPHA)
        yield host


@pytest.fixture
def home(host: IndexHost, tmp_path: Path, tools: str) -> Iterator[ToolHome]:
    """Return a new home; check at the end that the tools contacted only the servers."""
    with ProxyTrap() as proxy:
        yield ToolHome(tmp_path, tools, proxy, host.index("private"))
        assert not proxy.requests


@contextmanager
def simple_repository_server(home: ToolHome, source: str) -> Iterator[str]:
    """Run the server with an index as its source, for clients that have no login; yield the address of its pages."""
    port = free_port()
    program = SIMPLE_REPOSITORY.programs() / "simple-repository-server"
    command = [str(program), "--port", str(port), "--host", "127.0.0.1", "--stream-http-resources", source]
    log = home.folder / "simple-repository-server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=home.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=home.folder
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}/simple/", log)
        yield f"http://127.0.0.1:{port}/simple/"
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with direct.open(address, timeout=10):
                return
        except urllib.error.HTTPError as error:
            error.close()  # the tests show what it answers
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"simple-repository-server does not answer; its output:\n{log.read_text()}")


@pytest.mark.parametrize("tool", COMMANDS)
def test_tools_install_through_simple_repository_server(tool: str, host: IndexHost, home: ToolHome) -> None:
    """Tools install from a private index through a server that has the login."""
    source = home.simple.replace("://", f"://{USER}:{host.token}@", 1)

    with simple_repository_server(home, source) as simple:
        home.run(*COMMANDS[tool](home), "private-app", PIP_INDEX_URL=simple, UV_DEFAULT_INDEX=simple)

    assert installed(home, "private_app", "alpha") == {"private_app": "1.0", "alpha": "2.0"}
