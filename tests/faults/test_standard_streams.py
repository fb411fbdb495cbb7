"""A log or a standard stream that cannot be written costs its lines, not the server."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import pytest
from tests.helpers.wire import Auth, call, login, workers

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full"),
]

PROGRAM = str(Path(sys.executable).with_name("devpi-server"))


@pytest.mark.parametrize(
    "redirection",
    [
        pytest.param(">/dev/full", id="full output"),
        pytest.param("2>/dev/full", id="full log"),
        pytest.param("--access-log - >/dev/full 2>&1", id="everything full"),
        pytest.param("--access-log /dev/full", id="full access log"),
        pytest.param(">&-", id="closed output"),
        pytest.param("<&- >&- 2>&-", id="everything closed"),
    ],
)
def test_a_server_starts_and_serves(tmp_path: Path, redirection: str) -> None:
    """A server whose output, log or access log cannot be written starts, serves, and keeps its workers."""
    shell = ("/bin/sh", "-c", f'exec {PROGRAM} "$@" {redirection}', "sh")
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, command=shell) as server:
        before = workers(server)
        auth = login(server)
        assert call(server, "PUT", "/emilie", {"password": "1234"}, auth).status == 201
        assert call(server, "POST", "/+login", {"user": "emilie", "password": "wrong"}).status == 401
        assert workers(server) == before


def test_a_line_that_is_lost_shows_no_password(tmp_path: Path) -> None:
    """The log reports an access log that cannot be written once per worker, and without the headers of a request."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, "--access-log", "/dev/full") as server:
        auth: Auth = login(server)
        basic = base64.b64encode(b"root:canary").decode()
        for _ in range(3):
            call(server, "GET", "/", auth=auth, Authorization=f"Basic {basic}", Cookie="canary-cookie")
    lines = server.log.read_text().splitlines()

    reports = [line for line in lines if "the access log cannot be written, so lines are lost: No space left" in line]
    assert len(reports) == 1
    assert [line for line in lines if "canary" in line or basic in line or auth[1] in line or "Traceback" in line] == []
