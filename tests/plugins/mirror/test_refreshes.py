"""Refreshes: each makes the mirror ask again, and many of them cost no more than a few."""

from __future__ import annotations

import pytest
from tests.helpers import distributions
from tests.helpers.upstream import Upstream
from tests.plugins.mirror.conftest import Mirror

WHEEL = distributions.wheel("abc", "1.0")
REFRESHES = 40


@pytest.mark.parametrize("known", [True, False], ids=["cached", "absent"])
@pytest.mark.parametrize("asking", [True, False], ids=["with requests", "refreshes only"])
def test_many_refreshes_are_few_changes(mirror: Mirror, upstream: Upstream, known: bool, asking: bool) -> None:
    """Anonymous refreshes, even with requests between them, do not make all workers read everything again each time."""
    mirror.set(mirror_cache_expiry=1800)
    if known:
        upstream.add(WHEEL)
    mirror.page("abc")
    before = mirror.site.application.server.database.serial()

    for _ in range(REFRESHES):
        mirror.refresh("abc")
        if asking:
            assert mirror.page("abc").status == (200 if known else 404)

    changes = mirror.site.application.server.database.serial() - before
    assert 1 <= changes <= (REFRESHES + REFRESHES // 2 if asking and known else REFRESHES // 3)


def test_each_refresh_asks_again(mirror: Mirror, upstream: Upstream) -> None:
    """However soon a refresh follows another, the next request goes to the upstream, for a page and for an absence."""
    mirror.set(mirror_cache_expiry=1800)
    assert mirror.page("abc").status == 404
    versions = []
    for number in range(6):
        upstream.add(distributions.wheel("abc", f"{number}.0"))
        mirror.refresh("abc")
        versions.append(len(mirror.files("abc")))
    upstream.remove_project("abc")
    mirror.refresh("abc")

    assert versions == [1, 2, 3, 4, 5, 6]
    assert mirror.page("abc").status == 404


def test_a_refresh_of_nothing_changes_nothing(mirror: Mirror, upstream: Upstream) -> None:
    """The page is expired already, or the name is that of no project."""
    upstream.add(WHEEL)
    mirror.page("abc")
    mirror.refresh("abc")
    before = mirror.site.application.server.database.serial()

    mirror.refresh("abc")
    mirror.site.request("POST", f"{mirror.path}/+simple/-/refresh")

    assert mirror.site.application.server.database.serial() == before
