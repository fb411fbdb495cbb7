"""Changes that arrive at the same time are committed together, and each gets its own answer."""

from __future__ import annotations

import asyncio
from collections import Counter

import falcon.testing
from tests.helpers.concurrent_requests import conduct

from wheelgate.testing.site import Site

MANY = 24


def create_at_once(site: Site, names: list[str]) -> list[int]:
    """Create users over one connection each; return the statuses in the same order."""

    async def send(client: falcon.testing.ASGIConductor) -> list[falcon.testing.Result]:
        return await asyncio.gather(
            *(
                client.simulate_put(f"/{name}", json={"email": f"{name}@mail.example", "password": "1234"})
                for name in names
            )
        )

    return [answer.status_code for answer in conduct(site, send)]


def serial(site: Site) -> int:
    """Return the server's change counter."""
    return int(site.request("GET", "/+api").headers["x-devpi-serial"])


def test_many_changes_are_made_by_few_transactions(site: Site) -> None:
    """Changes that arrive together are committed together on SQLite, and one by one on PostgreSQL."""
    names = [f"user{number}" for number in range(MANY)]
    before = serial(site)

    assert create_at_once(site, names) == [201] * MANY

    taken = serial(site) - before
    assert {*names, "root"} <= set(site.request("GET", "/").result)
    if site.config.database_url.startswith("sqlite"):
        assert taken < MANY
    else:
        assert taken == MANY


def test_a_refused_change_does_not_fail_the_others(site: Site) -> None:
    """Of several requests for one name, one gets it; other requests in the same commit succeed."""
    names = [name for number in range(8) for name in (f"user{number}", "rival")]
    statuses = Counter(zip(names, create_at_once(site, names), strict=True))

    assert statuses == {**{(f"user{number}", 201): 1 for number in range(8)}, ("rival", 201): 1, ("rival", 409): 7}
