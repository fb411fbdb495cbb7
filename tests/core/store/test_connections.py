"""``--database-connections``: a server never has more connections to PostgreSQL, and requests wait for one."""

from __future__ import annotations

import asyncio
import threading
from contextlib import closing
from pathlib import Path

import falcon.testing
import psycopg
import pytest
from tests.helpers.concurrent_requests import conduct
from tests.helpers.distributions import wheel
from tests.helpers.postgres import postgres, postgres_url  # noqa: F401
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import encode, file_fields

from wheelgate.errors import StartupError
from wheelgate.store.database import Database
from wheelgate.testing.site import Site

ROOT = {"X-Devpi-Auth": "cm9vdDo="}
REQUESTS_OF_A_KIND = 12


def count_connections(url: str) -> int:
    """Return how many connections to a database there are, without our own."""
    with psycopg.connect(url) as connection:
        (row,) = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        ).fetchall()
        return int(row[0])


@pytest.mark.slow
@pytest.mark.parametrize(("allowed", "most"), [("2", 1), ("6", 3)])
def test_requests_wait_for_a_connection(postgres_url: str, tmp_path: Path, allowed: str, most: int) -> None:  # noqa: F811
    """Many requests of all kinds at once are all answered with the connections of one of the two workers."""
    with Site(tmp_path / "server", database=postgres_url, database_connections=allowed) as site:
        site.request("PUT", "/root/dev", {"acl_upload": ["root"]}, auth=("root", ""))
        seen, done = [], threading.Event()

        def watch() -> None:
            while not done.wait(0.01):
                seen.append(count_connections(postgres_url))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            statuses = conduct(site, send_all)
        finally:
            done.set()
            watcher.join()

    assert set(statuses) <= {200, 201}
    assert 1 <= max(seen) <= most


async def send_all(client: falcon.testing.ASGIConductor) -> list[int]:
    """Send requests of all kinds at the same time, and return their statuses."""

    async def send(number: int) -> list[int]:
        body, form = encode(file_fields(wheel("demo", f"{number}.0")))
        answers = await asyncio.gather(
            client.simulate_put(f"/user{number}", json={"password": "x"}, headers=ROOT),
            client.simulate_put(f"/+x/groups/group{number}", json={}, headers=ROOT),
            client.simulate_post("/+x/tokens/", json={"scopes": ["read"]}, headers=ROOT),
            client.simulate_post("/root/dev", body=body, headers={**ROOT, **form}),
            client.simulate_post("/+login", json={"user": "root", "password": ""}),
            client.simulate_get("/root/dev/+simple/"),
            client.simulate_get("/root", headers=ROOT),
        )
        return [answer.status_code for answer in answers]

    return [status for each in await asyncio.gather(*map(send, range(REQUESTS_OF_A_KIND))) for status in each]


@pytest.mark.slow
@pytest.mark.parametrize("where", ["url", "environment"])
def test_options_of_the_administrator(
    postgres_url: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    """A ``search_path`` in the URL or in ``PGOPTIONS`` counts, and the server's own options count as well."""
    if where == "environment":
        monkeypatch.setenv("PGOPTIONS", "-c search_path=elsewhere")
    url = f"{postgres_url}&options=-csearch_path%3Delsewhere" if where == "url" else postgres_url

    with closing(Database(url, read_only=True)) as database:
        names = ("search_path", "lock_timeout", "default_transaction_read_only")
        found = [database.read(f"SHOW {name}")[0][0] for name in names]

    assert found == ["elsewhere", "10s", "on"]


def test_each_worker_needs_a_connection(serve: Serve) -> None:
    """The server does not start if not every worker could have a connection."""
    with pytest.raises(StartupError, match="each of the 2 workers needs one"):
        serve(database_connections="1")
