"""Files that are younger than ``min_age`` are neither listed nor served, until they are old enough or excepted."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.helpers import distributions
from tests.helpers.upstream import Upstream
from tests.plugins.mirror.conftest import JSON, ROOT, Mirror

from wheelgate import Index
from wheelgate_mirror.cache import CurrentPage
from wheelgate_mirror.pages import Offer, Page
from wheelgate_mirror.visible_files import offered

OLD = distributions.wheel("abc", "1.0")
YOUNG = distributions.wheel("abc", "2.0")
TIMELESS = distributions.wheel("abc", "3.0")


def ago(**span: float) -> str:
    """Return a time of the past as PEP 700 writes it."""
    return (datetime.now(UTC) - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(seconds: float) -> str:
    """Return a moment as PEP 700 writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def offer(version: str, upload_time: str | None) -> Offer:
    """Make what an upstream tells of a file."""
    name = f"abc-{version}.tar.gz"
    return Offer(name, version, f"https://files.example/{name}", {}, None, upload_time, None, None, None, None)


BORN = time.time() - 86400


@pytest.fixture
def held(mirror: Mirror, upstream: Upstream) -> Mirror:
    """Return a mirror of three files, of which nobody knows how old the last one is."""
    upstream.add(OLD, upload_time=ago(days=8))
    upstream.add(YOUNG, upload_time=ago(days=6), provenance=f"{upstream.root}provenance")
    upstream.add(TIMELESS, upload_time="")
    return mirror


@pytest.mark.parametrize(
    ("config", "versions"),
    [
        ({}, ["1.0", "2.0", "3.0"]),
        ({"min_age": "7d"}, ["1.0"]),
        ({"min_age": "1w"}, ["1.0"]),
        ({"min_age": "5d"}, ["1.0", "2.0"]),
        ({"min_age": 5 * 86400}, ["1.0", "2.0"]),
        ({"min_age": "120h"}, ["1.0", "2.0"]),
        ({"min_age": "9d"}, []),
        ({"min_age": 0}, ["1.0", "2.0", "3.0"]),
        ({"min_age": "7d", "min_age_exceptions": ["Abc"]}, ["1.0", "2.0", "3.0"]),
        ({"min_age": "7d", "min_age_exceptions": "abc==2"}, ["1.0"]),
        ({"min_age": "7d", "min_age_exceptions": "ABC == 2.0, xyz"}, ["1.0", "2.0"]),
        ({"min_age": "7d", "min_age_exceptions": ["abc==3.0"]}, ["1.0", "3.0"]),
        ({"min_age": "7d", "min_age_exceptions": ["abcd", "abc==1.0"]}, ["1.0"]),
    ],
    ids=str,
)
def test_what_is_offered(held: Mirror, config: dict[str, Any], versions: list[str]) -> None:
    """Pages list, and tell the versions of, what is old enough or excepted; files without a time are not."""
    held.set(**config)

    page = held.page("abc").json

    assert page["versions"] == versions
    assert [entry["filename"] for entry in page["files"]] == [f"abc-{version}-py3-none-any.whl" for version in versions]
    known = held.site.request("GET", f"{held.path}/abc", headers={"Accept": "application/json"})
    assert (known.status, [*known.result]) == (200, versions) if versions else known.status == 404


@pytest.mark.parametrize("offered", [YOUNG, TIMELESS], ids=["young", "timeless"])
@pytest.mark.parametrize("suffix", ["", ".metadata", ".provenance"])
@pytest.mark.parametrize("fetched", [True, False], ids=["fetched before", "new"])
def test_what_is_held_back(
    held: Mirror, upstream: Upstream, offered: distributions.Distribution, suffix: str, fetched: bool
) -> None:
    """Who knows the address is refused, also if the file is here, and is told why, until when, and the way out."""
    address = held.address(offered) + suffix
    if fetched:
        held.site.request("GET", held.address(offered))
        held.site.request("GET", address)
    held.set(min_age="7d")
    before = upstream.count()

    answer = held.site.request("GET", address)

    assert answer.status == 403
    assert "holds files back until they are 7d old (min_age)" in answer.message
    assert "min_age_exceptions" in answer.message
    day = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H}"
    why = f"becomes available at {day}" if offered is YOUNG else "does not say when"
    assert why in answer.message
    assert upstream.count() == before


def test_html_tells_no_times(held: Mirror, upstream: Upstream) -> None:
    """Of an upstream without times nothing is offered, but for the exceptions."""
    upstream.form = "html"
    held.set(min_age="7d", min_age_exceptions=["abc==1.0"])

    assert [*held.files("abc")] == [OLD.filename]


@pytest.mark.parametrize(
    ("good_until", "until"),
    [(None, BORN + 7 * 86400), (BORN + 8 * 86400, BORN + 7 * 86400), (BORN + 86400, BORN + 86400)],
    ids=["for ever", "for longer", "for less"],
)
def test_a_page_is_good_until_the_next_file_comes_of_age(good_until: float | None, until: float) -> None:
    """The page is made anew at the moment at which the next file is old enough, whatever else it may be good for."""
    index = Index("root", "up", "mirror", {"min_age": "7d"})
    files = (
        offer("1.0", ago(days=8)),
        offer("2.0", moment(BORN)),
        offer("3.0", moment(BORN + 100)),
        offer("4.0", None),
    )
    page = Page("abc", files, ("1.0", "2.0", "3.0", "4.0"), "active", "")

    found = offered(index, "abc", page, CurrentPage(b"", good_until))

    assert found.versions == ("1.0",)
    assert found.until == pytest.approx(until, abs=1e-3)


def test_what_is_held_back_cannot_be_pushed(held: Mirror, fresh: str) -> None:
    """A push is no way around."""
    held.set(min_age="7d")
    held.site.request("PUT", f"/root/{fresh}-own", {"acl_upload": ["root"]}, auth=ROOT)
    body = {"name": "abc", "targetindex": f"root/{fresh}-own"}

    answers = [held.site.request("POST", held.path, {**body, "version": v}, auth=ROOT) for v in ("2.0", "1.0")]

    assert [answer.status for answer in answers] == [400, 200]


def test_what_inherits_holds_back_too(held: Mirror, fresh: str) -> None:
    """An index that has the mirror as its base shows the same."""
    held.set(min_age="7d")
    held.site.request("PUT", f"/root/{fresh}-own", {"bases": [held.path.strip("/")]}, auth=ROOT)

    page = held.site.request("GET", f"/root/{fresh}-own/+simple/abc/", headers={"Accept": JSON}).json

    assert [entry["filename"] for entry in page["files"]] == [OLD.filename]
