"""Several workers share one index of the search, and it survives the death of all of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.search_pages import BROWSER, RESULT
from tests.helpers.upload_forms import encode, file_fields
from tests.helpers.wire import kill_all

from wheelgate.testing.server_process import ServerProcess

pytestmark = pytest.mark.slow

WAIT_SECONDS = 40
"""Seconds within which a search must follow; two are the promise, on a machine that does nothing else."""
ASKED_AGAIN = 12
"""Requests after the first that finds a change: any worker answers them."""


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    """Return a running server with two workers."""
    options = ["--no-root-pypi"]
    if request.param == "postgresql":
        options += ["--database", request.getfixturevalue("postgres_url")]
    with ServerProcess(tmp_path / "server", *options, workers=2, start_new_session=True) as running:
        yield running


def found(server: ServerProcess, query: str) -> list[str]:
    """Return the projects that some worker finds."""
    answer = server.request("GET", f"/+x/web/search?q={query}", headers=BROWSER)
    assert answer.status == 200, answer.content
    return RESULT.findall(answer.content.decode())


def wait_until(server: ServerProcess, query: str, expected: list[str]) -> None:
    """Wait until a search finds this; from then on every worker must."""
    deadline = time.monotonic() + WAIT_SECONDS
    while found(server, query) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [found(server, query) for _ in range(ASKED_AGAIN)] == [expected] * ASKED_AGAIN


def upload(server: ServerProcess, name: str, auth: tuple[str, str]) -> None:
    """Upload a wheel."""
    body, headers = encode(file_fields(wheel(name, "1.0")))
    assert server.request("POST", "/emilie/dev/", body, auth=auth, headers=headers).status == 200


def test_every_worker_finds_every_change(server: ServerProcess) -> None:
    """Whichever worker takes an upload or a deletion, each of them finds it; also after all of them were killed."""
    root = server.login("root", "")
    server.request("PUT", "/emilie", {"password": "correct horse"}, auth=root)
    emilie = server.login("emilie", "correct horse")
    assert server.request("PUT", "/emilie/dev", {}, auth=emilie).status == 200

    for name in ("aqueduct", "aqueduct-two"):
        upload(server, name, emilie)
        wait_until(server, name, [f"emilie/dev/{name}"])
    server.request("DELETE", "/emilie/dev/aqueduct-two", auth=emilie)
    wait_until(server, "aqueduct", ["emilie/dev/aqueduct"])

    upload(server, "viaduct", emilie)
    server.request("DELETE", "/emilie/dev/aqueduct", auth=emilie)
    kill_all(server)
    server.start()
    wait_until(server, "viaduct", ["emilie/dev/viaduct"])
    wait_until(server, "aqueduct", [])
