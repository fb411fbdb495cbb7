"""Requests to upstreams that one request of a client can cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.helpers import distributions
from tests.helpers.sites import Serve
from tests.helpers.upstream import Fault, Upstream
from tests.plugins.mirror.conftest import ROOT, Mirror

from wheelgate.services.packages.merging import MAX_ASKED_MIRRORS
from wheelgate.testing.site import Site

RELEASES = 50
PATHS = ["abc", "abc/2.0", "pypi/abc/json", "+simple/abc/", "+why/abc"]


@dataclass(frozen=True)
class Wide:
    """A server with two indices that inherit from more mirrors than a request asks."""

    site: Site
    upstream: Upstream


@pytest.fixture(scope="module")
def wide(serve_shared: Serve) -> Iterator[Wide]:
    """Return the server with its indices, whose mirrors ask their upstream at every request."""
    site = serve_shared()
    with Upstream() as upstream:
        mirrors = [f"root/mirror-{number}" for number in range(MAX_ASKED_MIRRORS + 10)]
        for each in mirrors:
            Mirror(site, f"/{each}", mirror_url=f"{upstream.root}{each}/", mirror_cache_expiry=0)
        half = len(mirrors) // 2
        inheriting = {
            "bases": mirrors,
            "left": mirrors[:half],
            "right": mirrors[half:],
            "bases-of-bases": ["root/left", "root/right"],
        }
        for name, bases in inheriting.items():
            assert site.request("PUT", f"/root/{name}", {"bases": bases}, auth=ROOT).status == 200
        yield Wide(site, upstream)


@pytest.mark.parametrize("path", PATHS)
def test_a_project_costs_one_request_however_many_releases_it_has(
    mirror: Mirror, upstream: Upstream, path: str
) -> None:
    """The page has all releases; only the legacy JSON asks for the metadata of one more file."""
    for number in range(RELEASES):
        upstream.add(distributions.sdist("abc", f"{number}.0"))

    assert mirror.site.request("GET", f"{mirror.path}/{path}").status == 200
    assert upstream.count() <= 2


@pytest.mark.parametrize("name", ["bases", "bases-of-bases"])
@pytest.mark.parametrize("path", [*PATHS, "+simple/"])
def test_a_request_asks_a_limited_number_of_mirrors(wide: Wide, fresh: str, path: str, name: str) -> None:
    """Further mirrors count as unavailable: nothing is asked, and the answer says why where nothing is found."""
    wide.upstream.forget()

    answer = wide.site.request("GET", f"/root/{name}/{path.replace('abc', fresh)}")

    assert wide.upstream.count() == MAX_ASKED_MIRRORS
    if path == "+why/abc":
        reasons = [entry["reason"] for entry in answer.result["indices"]]
        assert sum("inherits from more than" in reason for reason in reasons) == 10
    else:
        assert (answer.status, f"more than {MAX_ASKED_MIRRORS} mirrors" in answer.message) == (403, True)


@pytest.mark.parametrize("status", [404, 410, 500])
def test_an_upstream_without_a_list_hides_no_other_projects(
    mirror: Mirror, upstream: Upstream, fresh: str, status: int
) -> None:
    """An index that inherits from it lists the projects of its other bases."""
    upstream.faults["/simple/"] = Fault(status=status)
    with Upstream() as other:
        other.list_names("abc")
        second = Mirror(mirror.site, f"/root/{fresh}-other", mirror_url=other.url)
        bases = [mirror.path[1:], second.path[1:]]
        assert mirror.site.request("PUT", f"/root/{fresh}-both", {"bases": bases}, auth=ROOT).status == 200
        second.path = f"/root/{fresh}-both"

        assert second.names() == ["abc"]
