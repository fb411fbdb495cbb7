"""The secret file is removed, cut, replaced or opened to others while the server runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.helpers.wire import call, login, wait_until, workers

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Return a server with two workers; each test restores its secret."""
    with ServerProcess(tmp_path_factory.mktemp("secret") / "server", *CHEAP_HASHING, workers=2) as running:
        yield running


def replace(path: Path) -> None:
    """Replace it by another secret."""
    path.write_text("".join(chr(65 + number) for number in range(40)))


@pytest.mark.parametrize(
    ("lose", "sentence"),
    [
        pytest.param(Path.unlink, "cannot use the secret file", id="removed"),
        pytest.param(lambda path: os.truncate(path, 0), "is too weak", id="cut to nothing"),
        pytest.param(lambda path: os.truncate(path, 20), "is too weak", id="cut"),
        pytest.param(lambda path: path.chmod(0o644), "others can read the secret file", id="readable by others"),
        pytest.param(replace, "", id="replaced"),
    ],
)
def test_a_lost_secret_changes_nothing_until_the_next_start(
    server: ServerProcess, lose: Callable[[Path], object], sentence: str
) -> None:
    """New workers keep the secret of the start, and a reload refuses a bad one, so logins stay valid."""
    path = server.serverdir / ".secret"
    secret, auth, log = path.read_bytes(), login(server), server.log.read_text()
    token = call(server, "POST", "/+x/tokens", {"scopes": ["read"]}, auth).result["token"]

    lose(path)
    try:
        before = workers(server)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(workers(server) - before) == 2, "new workers")
        for _ in range(10):
            assert call(server, "GET", "/+api", auth=auth).result["authstatus"][0] == "ok"
            assert call(server, "GET", "/+api", auth=("root", token)).result["authstatus"][0] == "ok"
        if sentence:
            before = workers(server)
            os.kill(server.pid, signal.SIGHUP)
            wait_until(lambda: not workers(server) & before and len(workers(server)) == 2, "reload")
            assert sentence in server.log.read_text().removeprefix(log)
            assert "reload refused, the old settings stay" in server.log.read_text().removeprefix(log)
            for _ in range(10):
                assert call(server, "GET", "/+api", auth=auth).result["authstatus"][0] == "ok"
    finally:
        path.touch()
        path.chmod(0o600)
        path.write_bytes(secret)
