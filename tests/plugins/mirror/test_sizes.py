"""JSON pages state a version of the API that they fulfil: PEP 700 requires the size of every file."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from tests.helpers import distributions
from tests.helpers.simple_pages import SIMPLE_JSON
from tests.helpers.upstream import Upstream
from tests.plugins.mirror.conftest import ROOT, Mirror

WHEEL = distributions.wheel("abc", "1.0")
OTHER = distributions.wheel("abc", "2.0")


def version(page: Any) -> str:
    """Return the version of the API that a page states."""
    stated: str = page["meta"]["api-version"]
    return stated


@pytest.mark.parametrize(("form", "sends"), [("json", "1.0"), ("html", "1.4")])
def test_sizes_are_learned_from_downloads(
    mirror: Mirror, upstream: Upstream, form: Literal["json", "html"], sends: str
) -> None:
    """A page without sizes states 1.0; each download adds a size, and the last one makes it 1.4."""
    mirror.set(mirror_cache_expiry=1800)
    upstream.form, upstream.version = form, sends
    upstream.add(WHEEL)
    upstream.add(OTHER, metadata=False)
    pages = [mirror.page("abc").json]
    for dist in (WHEEL, OTHER):
        assert mirror.get(dist).status == 200
        pages.append(mirror.page("abc").json)

    assert [version(page) for page in pages] == ["1.0", "1.0", "1.4"]
    sizes = [[entry.get("size") for entry in page["files"]] for page in pages]
    assert sizes == [[None, None], [len(WHEEL.content), None], [len(WHEEL.content), len(OTHER.content)]]
    assert upstream.count("/simple/abc/") == 1


def test_metadata_are_not_the_file(mirror: Mirror, upstream: Upstream) -> None:
    """The size of the metadata next to a file is not that of the file."""
    upstream.version = "1.0"
    upstream.add(WHEEL)
    assert mirror.get(WHEEL, ".metadata").status == 200

    page = mirror.page("abc").json

    assert (version(page), page["files"][0].get("size")) == ("1.0", None)


@pytest.mark.parametrize("sends", ["1.0", "1.1"])
def test_the_page_of_an_index_that_inherits(mirror: Mirror, upstream: Upstream, fresh: str, sends: str) -> None:
    """A page with the files of several indices needs the sizes of all of them; a project without files needs none."""
    upstream.version = sends
    upstream.add(WHEEL)
    upstream.list_names("empty")
    with Upstream() as complete:
        complete.add(OTHER)
        second = Mirror(mirror.site, f"/root/{fresh}-other", mirror_url=complete.url)
        bases = [second.path[1:], mirror.path[1:]]
        assert mirror.site.request("PUT", f"/root/{fresh}-both", {"bases": bases}, auth=ROOT).status == 200
        pages = [
            mirror.site.request("GET", f"/root/{fresh}-both/+simple/{name}/", headers={"Accept": SIMPLE_JSON}).json
            for name in ("abc", "empty")
        ]

    assert [version(page) for page in pages] == ["1.0" if sends == "1.0" else "1.4", "1.4"]
