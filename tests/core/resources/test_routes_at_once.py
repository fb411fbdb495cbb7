"""Requests to the routes of plugins that arrive at the same time wait for their turn."""

from __future__ import annotations

import asyncio

import falcon.testing
import pytest
from tests.helpers.concurrent_requests import conduct

from wheelgate.testing.site import Site

REQUESTS = 72


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tokens", "groups"])
def test_changes_at_once_are_all_made(site: Site, kind: str) -> None:
    """Of many simultaneous requests that manage tokens or groups, beside changes of users, none is refused."""
    headers = {"X-Devpi-Auth": "cm9vdDo="}  # root without a password

    async def act(client: falcon.testing.ASGIConductor) -> list[int]:
        async def send(number: int) -> int:
            if number % 8 == 0:
                answer = await client.simulate_put(f"/user{number}", json={"password": "x"}, headers=headers)
            elif kind == "tokens":
                answer = await client.simulate_post("/+x/tokens/", json={"scopes": ["read"]}, headers=headers)
            else:
                answer = await client.simulate_put(f"/+x/groups/group{number}", json={}, headers=headers)
            return answer.status_code

        return list(await asyncio.gather(*map(send, range(REQUESTS))))

    assert set(conduct(site, act)) <= {200, 201}
