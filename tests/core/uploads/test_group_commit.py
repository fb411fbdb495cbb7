"""Uploads that arrive at the same time are committed together, and each gets its own answer."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import falcon.testing
from tests.core.uploads.conftest import Owned
from tests.helpers.concurrent_requests import conduct
from tests.helpers.distributions import Distribution, wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, encode, file_fields

from wheelgate import hookimpl
from wheelgate.hookspecs import instant

MANY = 24


class WaitsForSmall:
    """A plugin that holds the check of one project until that of another has begun."""

    def __init__(self) -> None:
        self._small_began = threading.Event()

    @hookimpl
    @instant
    def wheelgate_check_upload(self, project: str) -> str | None:
        """Wait, or let the other go on."""
        if project == "small":
            self._small_began.set()
            return None
        return None if self._small_began.wait(10) else "the small upload did not begin"


def upload_at_once(owned: Owned, index: str, dists: Sequence[Distribution]) -> list[falcon.testing.Result]:
    """Upload files over one connection each; return the answers in the same order."""
    token = base64.b64encode(":".join(owned.auth).encode()).decode()

    async def send(client: falcon.testing.ASGIConductor) -> list[falcon.testing.Result]:
        requests = []
        for dist in dists:
            body, headers = encode(file_fields(dist))
            sent = {**headers, "X-Devpi-Auth": token}
            requests.append(client.simulate_post(f"/{index}/", body=body, headers=sent))
        return await asyncio.gather(*requests)

    return conduct(owned.site, send)


def serial(owned: Owned) -> int:
    """Return the server's change counter."""
    return int(owned.site.request("GET", "/+api").headers["x-devpi-serial"])


def test_many_are_recorded_by_few_transactions(owned: Owned) -> None:
    """Uploads that arrive together are committed together on SQLite, and one by one on PostgreSQL."""
    dists = [wheel(f"project{number}") for number in range(MANY)]
    before = serial(owned)
    answers = upload_at_once(owned, owned.index, dists)
    taken = serial(owned) - before

    assert [answer.status_code for answer in answers] == [200] * MANY
    for dist in dists:
        assert owned.site.request("GET", f"/{owned.index}/{address(dist)}").content == dist.content
    if owned.site.config.database_url.startswith("sqlite"):
        assert taken < MANY / 2
    else:
        assert taken == MANY


def test_a_refused_upload_does_not_fail_the_others(owned: Owned) -> None:
    """Some of the uploads are refused when they are checked, some when they are recorded; the others succeed."""
    index = owned.add_index("strict", volatile=False)
    good = [wheel(f"project{number}") for number in range(8)]
    rivals = [wheel("rival", size=2000, seed=number) for number in range(8)]
    broken = [replace(wheel("broken"), content=b"no zip file")] * 8
    dists = [dist for group in zip(good, rivals, broken, strict=True) for dist in group]
    answers = upload_at_once(owned, index, dists)
    statuses = Counter((dist.name, answer.status_code) for dist, answer in zip(dists, answers, strict=True))

    assert statuses == {
        **{(dist.name, 200): 1 for dist in good},
        ("rival", 200): 1,
        ("rival", 409): 7,
        ("broken", 400): 8,
    }
    (winner,) = [d for d, answer in zip(dists, answers, strict=True) if d.name == "rival" and answer.status_code == 200]
    assert owned.site.request("GET", f"/{index}/{address(winner)}").content == winner.content
    for loser in rivals:
        assert loser == winner or owned.site.request("GET", f"/{index}/{address(loser)}").status == 404


def test_the_check_of_a_large_upload_delays_no_small_one(serve: Serve) -> None:
    """A small upload is checked while the check of a larger one, which came first, still runs."""
    site = serve(extra={"waits": WaitsForSmall()})
    site.request("PUT", "/root/dev", {}, auth=("root", ""))
    owned = Owned(site, ("root", ""), "root/dev")

    answers = upload_at_once(owned, "root/dev", [wheel("large", size=40_000), wheel("small")])

    assert [answer.status_code for answer in answers] == [200, 200]
