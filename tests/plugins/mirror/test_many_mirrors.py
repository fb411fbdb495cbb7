"""Requests to upstreams that one request of a client can cause."""

from __future__ import annotations

import pytest
from tests.helpers import distributions
from tests.helpers.sites import Serve
from tests.helpers.upstream import Fault, Upstream
from tests.plugins.mirror.conftest import ROOT, Mirror

from wheelgate.services.packages.merging import MAX_ASKED_MIRRORS
from wheelgate.testing.site import Site

RELEASES = 50
PATHS = ["abc", "abc/2.0", "pypi/abc/json", "+simple/abc/", "+why/abc"]


@pytest.fixture(scope="module")
def wide(serve_shared: Serve) -> Site:
    """Return a server whose index ``root/all`` inherits from more mirrors than a request asks."""
    return serve_shared()


@pytest.mark.parametrize("path", PATHS)
def test_a_project_costs_one_request_however_many_releases_it_has(
    mirror: Mirror, upstream: Upstream, path: str
) -> None:
    """The page has all releases; only the legacy JSON asks for the metadata of one more file."""
    for number in range(RELEASES):
        upstream.add(distributions.sdist("abc", f"{number}.0"))

    assert mirror.site.request("GET", f"{mirror.path}/{path}").status == 200
    assert upstream.count() <= 2


@pytest.mark.parametrize("nested", [False, True], ids=["bases", "bases of bases"])
@pytest.mark.parametrize("path", [*PATHS, "+simple/"])
def test_a_request_asks_a_limited_number_of_mirrors(
    wide: Site, upstream: Upstream, fresh: str, path: str, nested: bool
) -> None:
    """Further mirrors count as unavailable: nothing is asked, and the answer says why where nothing is found."""
    mirrors = [f"root/{fresh}-{number}" for number in range(MAX_ASKED_MIRRORS + 10)]
    for each in mirrors:
        Mirror(wide, f"/{each}", mirror_url=f"{upstream.root}{each}/")
    top, half = f"/root/{fresh}-all", len(mirrors) // 2
    bases = mirrors
    if nested:
        bases = [f"root/{fresh}-left", f"root/{fresh}-right"]
        for name, below in zip(bases, (mirrors[:half], mirrors[half:]), strict=True):
            assert wide.request("PUT", f"/{name}", {"bases": below}, auth=ROOT).status == 200
    assert wide.request("PUT", top, {"bases": bases}, auth=ROOT).status == 200

    answer = wide.request("GET", f"{top}/{path}")

    assert upstream.count() == MAX_ASKED_MIRRORS
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
