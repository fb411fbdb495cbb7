"""Seeded requests by the thousand, at every address and from every kind of sender: no fault, and no leak of a worker.

The environment variable ``WHEELGATE_FUZZ_REQUESTS`` sets how many; 100000 take five to thirty minutes. The variable
``WHEELGATE_FUZZ_SEED`` chooses others. With the same seed, the request of a number is the same; the message has the
numbers of those that failed::

    WHEELGATE_FUZZ_REQUESTS=100000 pytest -s tests/faults/test_seeded_requests.py
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from tests.helpers.seeded_requests import FILES, SeededGenerator, SeededRequest, basic, operations
from tests.helpers.wire import ANSWER_TIMEOUT_SECONDS, Auth, call, login, workers
from tests.helpers.wire_uploads import send

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

REQUESTS = int(os.environ.get("WHEELGATE_FUZZ_REQUESTS", "3000"))
SEED = os.environ.get("WHEELGATE_FUZZ_SEED", "1")
ROUNDS = 20
"""Parts of the requests; before each, what earlier requests have deleted is made again."""
SENDERS = 4
PASSWORD = "1234"
UNFINISHED_SECONDS = 0.2
"""How long a client that has not sent a whole request, or leaves the connection open, waits for more of the answer."""
FAULT, NO_ANSWER = 500, 0
MAX_GROWTH_MIB, MAX_MORE_DESCRIPTORS = 20, 20
"""By how much a worker may grow in the second half of the requests; its threads exist then, its caches are filled."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(max(300, REQUESTS // 10))]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """Start a server of two workers, whose own requests go nowhere; ``keeper`` repairs what requests destroy."""
    options = [
        *CHEAP_HASHING,
        "--no-root-pypi",
        "--allow-upstream",
        "127.0.0.0/8",
        "--upstream-proxy",
        "http://127.0.0.1:9",
    ]
    rights = ["--restrict-modify", "root,keeper,emilie"]
    with ServerProcess(tmp_path / "server", *options, *rights, workers=2) as started:
        root = login(started)
        assert call(started, "PUT", "/keeper", {"password": PASSWORD}, root).status == 201
        yield started


def repair(server: ServerProcess, keeper: Auth) -> dict[str, str]:
    """Make users, indices and files as they were; return new credentials of each kind of sender."""
    for user in ("emilie", "sophie"):
        if call(server, "PUT", f"/{user}", {"password": PASSWORD}, keeper).status == 409:
            assert call(server, "PATCH", f"/{user}", {"password": PASSWORD}, keeper).status == 200
    assert call(server, "PATCH", "/root", {"password": PASSWORD}, keeper).status == 200
    upstream = {"type": "mirror", "mirror_url": "http://127.0.0.1:9/simple/"}
    for path, config in (
        ("/emilie/dev", {}),
        ("/sophie/prod", {"bases": ["emilie/dev"]}),
        ("/emilie/mirrored", upstream),
    ):
        call(server, "DELETE", f"{path}?force=", None, keeper)
        assert call(server, "PUT", path, config, keeper).status == 200
    emilie, sophie, root = (login(server, user, PASSWORD) for user in ("emilie", "sophie", "root"))
    for file in FILES:
        assert send(server, emilie, "emilie/dev", file).status == 200
    tokens = [
        call(server, "POST", "/+x/tokens/", {"scopes": scopes, "expires_in": 86400}, owner).result["token"]
        for owner, scopes in ((emilie, ["read", "upload"]), (root, ["read"]))
    ]
    logins = {auth[0]: basic(*auth) for auth in (emilie, sophie, root)}
    return {
        "": "",
        **logins,
        "password": basic("sophie", PASSWORD),
        "upload": basic("emilie", tokens[0]),
        "read": basic("__token__", tokens[1]),
    }


def status(server: ServerProcess, request: SeededRequest) -> int:
    """Send a request; return the status of the last answer, or ``NO_ANSWER``."""
    received = b""
    with (
        socket.create_connection(
            ("127.0.0.1", server.port), timeout=ANSWER_TIMEOUT_SECONDS, source_address=(request.source, 0)
        ) as connection,
        contextlib.suppress(ConnectionError),
    ):  # the server may have answered and closed already
        connection.sendall(request.content)
        if not request.whole:
            connection.settimeout(UNFINISHED_SECONDS)
        with contextlib.suppress(*([] if request.whole else [TimeoutError])):
            while part := connection.recv(65536):
                received += part
    statuses = re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)
    return int(statuses[-1]) if statuses else NO_ANSWER


@dataclass(frozen=True, slots=True)
class WorkerSize:
    """How much a worker holds."""

    pss: float
    """Its share of memory, in MiB."""
    rss: float
    """Its memory, in MiB, with what it shares."""
    descriptors: int


def sizes(server: ServerProcess) -> dict[int, WorkerSize]:
    """Return the size of each worker by its process ID."""
    found = {}
    for pid in sorted(workers(server)):
        rollup = dict(
            re.findall(r"^(Pss|Rss): +(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        )
        descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        found[pid] = WorkerSize(int(rollup["Pss"]) / 1024, int(rollup["Rss"]) / 1024, descriptors)
    return found


def test_no_fault_and_no_leak(server: ServerProcess) -> None:
    """Each whole request is answered, none with a fault, and the workers live on without growing."""
    described = operations(json.loads(call(server, "GET", "/+openapi").content))
    keeper = login(server, "keeper", PASSWORD)
    seen: Counter[int] = Counter()
    wrong: list[tuple[int, int]] = []
    history: list[dict[int, WorkerSize]] = []
    with ThreadPoolExecutor(SENDERS) as pool:
        for part in range(ROUNDS):
            credentials = repair(server, keeper)
            numbers = range(REQUESTS * part // ROUNDS, REQUESTS * (part + 1) // ROUNDS)
            requests = [SeededGenerator(described, credentials, f"{SEED}-{number}").make() for number in numbers]
            statuses = list(pool.map(partial(status, server), requests))
            seen.update(statuses)
            wrong += [
                (number, given)
                for number, request, given in zip(numbers, requests, statuses, strict=True)
                if given == FAULT or (given == NO_ANSWER and request.whole)
            ]
            history.append(sizes(server))
            print(numbers.stop, dict(sorted(seen.items())), history[-1], flush=True)

    assert wrong == []
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "fault on" not in log
    middle, end = history[ROUNDS // 2], history[-1]
    assert middle.keys() == end.keys() == history[0].keys()
    for pid, size in end.items():
        assert size.pss < middle[pid].pss + MAX_GROWTH_MIB, history
        assert size.descriptors < middle[pid].descriptors + MAX_MORE_DESCRIPTORS, history
