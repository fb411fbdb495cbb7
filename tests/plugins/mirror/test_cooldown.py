"""The cooldown: a mirror neither lists nor serves files younger than ``min_age``, unless there is an exception."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.helpers import distributions
from tests.helpers.simple_pages import SIMPLE_JSON
from tests.helpers.upstream import Upstream
from tests.plugins.mirror.conftest import ROOT, Mirror

from wheelgate import Index
from wheelgate_mirror.cache import CurrentPage
from wheelgate_mirror.pages import UpstreamFile, UpstreamPage
from wheelgate_mirror.visible_files import visible_project

OLD = distributions.wheel("abc", "1.0")
YOUNG = distributions.wheel("abc", "2.0")
TIMELESS = distributions.wheel("abc", "3.0")


def ago(**span: float) -> str:
    """Return a time in the past as PEP 700 writes it."""
    return (datetime.now(UTC) - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(seconds: float) -> str:
    """Return a moment as PEP 700 writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def upstream_file(version: str, upload_time: str | None) -> UpstreamFile:
    """Make a file of an upstream's page."""
    name = f"abc-{version}.tar.gz"
    return UpstreamFile(name, version, f"https://files.example/{name}", {}, None, upload_time, None, None, None, None)


BORN = time.time() - 86400


@pytest.fixture
def held(mirror: Mirror, upstream: Upstream) -> Mirror:
    """Return a mirror of three files; the upstream gives no time for the last one."""
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
        ({"min_age": "7d", "min_age_exceptions": "abc==2"}, ["1.0", "2.0"]),
        ({"min_age": "7d", "min_age_exceptions": "abc==2.0.0"}, ["1.0", "2.0"]),
        ({"min_age": "7d", "min_age_exceptions": "abc==2.0.1"}, ["1.0"]),
        ({"min_age": "7d", "min_age_exceptions": "ABC == 2.0, xyz"}, ["1.0", "2.0"]),
        ({"min_age": "7d", "min_age_exceptions": ["abc==3.0"]}, ["1.0", "3.0"]),
        ({"min_age": "7d", "min_age_exceptions": ["abcd", "abc==1.0"]}, ["1.0"]),
    ],
    ids=str,
)
def test_pages_show_files_that_are_old_enough(held: Mirror, config: dict[str, Any], versions: list[str]) -> None:
    """Pages list files and versions that are old enough or excepted, but no files without a time."""
    held.set(**config)

    page = held.page("abc").json

    assert page["versions"] == versions
    assert [entry["filename"] for entry in page["files"]] == [f"abc-{version}-py3-none-any.whl" for version in versions]
    known = held.site.request("GET", f"{held.path}/abc", headers={"Accept": "application/json"})
    assert (known.status, [*known.result]) == (200, versions) if versions else known.status == 404


@pytest.mark.parametrize(
    ("config", "files", "left_out"),
    [
        ({}, 3, ""),
        ({"min_age": "7d", "min_age_exceptions": ["abc"]}, 3, ""),
        ({"min_age": "5d"}, 2, "; min_age=5d holds back 1 file: 1 without an upload time"),
        (
            {"min_age": "7d"},
            1,
            "; min_age=7d holds back 2 files: the next becomes available at {day}, 1 without an upload time",
        ),
        (
            {"min_age": "9d", "min_age_exceptions": ["abc==3.0"]},
            1,
            "; min_age=9d holds back 2 files: the next becomes available at {day}",
        ),
    ],
    ids=str,
)
def test_why_says_what_is_held_back(held: Mirror, config: dict[str, Any], files: int, left_out: str) -> None:
    """``+why`` says how many files a page leaves out, and when it has the next one."""
    held.set(**config)

    entry = held.site.request("GET", f"{held.path}/+why/abc", headers={"Accept": "application/json"}).result["indices"][
        0
    ]

    assert entry["files"] == files
    reason, _, time_of_day = entry["reason"].partition(f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT}")
    assert reason == "no index before it has the name" + left_out.partition("{day}")[0]
    assert time_of_day.partition("Z")[2] == left_out.partition("{day}")[2]


@pytest.mark.parametrize("dist", [YOUNG, TIMELESS], ids=["young", "timeless"])
@pytest.mark.parametrize("suffix", ["", ".metadata", ".provenance"])
@pytest.mark.parametrize("fetched", [True, False], ids=["downloaded before", "new"])
def test_young_files_are_refused(
    held: Mirror, upstream: Upstream, dist: distributions.Distribution, suffix: str, fetched: bool
) -> None:
    """The address of a young file answers 403, even if it is stored, with the reason, the time, and how to get it."""
    address = held.address(dist) + suffix
    if fetched:
        held.site.request("GET", held.address(dist))
        held.site.request("GET", address)
    held.set(min_age="7d")
    before = upstream.count()

    answer = held.site.request("GET", address)

    assert answer.status == 403
    assert "holds files back until they are 7d old (min_age)" in answer.message
    assert "min_age_exceptions" in answer.message
    day = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H}"
    why = f"becomes available at {day}" if dist is YOUNG else "does not say when"
    assert why in answer.message
    assert upstream.count() == before


def test_html_pages_have_no_times(held: Mirror, upstream: Upstream) -> None:
    """A mirror of an upstream without times shows only the exceptions."""
    upstream.form = "html"
    held.set(min_age="7d", min_age_exceptions=["abc==1.0"])

    assert [*held.files("abc")] == [OLD.filename]


@pytest.mark.parametrize(
    ("valid_until", "until"),
    [(None, BORN + 7 * 86400), (BORN + 8 * 86400, BORN + 7 * 86400), (BORN + 86400, BORN + 86400)],
    ids=["forever", "for longer", "for less"],
)
def test_a_page_is_valid_until_the_next_file_is_old_enough(valid_until: float | None, until: float) -> None:
    """A page expires when the next file is old enough, unless the upstream's page expires earlier."""
    index = Index("root", "up", "mirror", {"min_age": "7d"})
    files = (
        upstream_file("1.0", ago(days=8)),
        upstream_file("2.0", moment(BORN)),
        upstream_file("3.0", moment(BORN + 100)),
        upstream_file("4.0", None),
    )
    page = UpstreamPage("abc", files, ("1.0", "2.0", "3.0", "4.0"), "active", "")

    project = visible_project(index, "abc", page, CurrentPage(b"", valid_until))

    assert project.versions == ("1.0",)
    assert project.until == pytest.approx(until, abs=1e-3)


def test_a_push_takes_no_young_files(held: Mirror, fresh: str) -> None:
    """A push does not get around the cooldown."""
    held.set(min_age="7d")
    held.site.request("PUT", f"/root/{fresh}-own", {"acl_upload": ["root"]}, auth=ROOT)
    body = {"name": "abc", "targetindex": f"root/{fresh}-own"}

    answers = [held.site.request("POST", held.path, {**body, "version": v}, auth=ROOT) for v in ("2.0", "1.0")]

    assert [answer.status for answer in answers] == [400, 200]


def test_the_cooldown_applies_to_inheriting_indices(held: Mirror, fresh: str) -> None:
    """An index with the mirror as its base shows the same files."""
    held.set(min_age="7d")
    held.site.request("PUT", f"/root/{fresh}-own", {"bases": [held.path.strip("/")]}, auth=ROOT)

    page = held.site.request("GET", f"/root/{fresh}-own/+simple/abc/", headers={"Accept": SIMPLE_JSON}).json

    assert [entry["filename"] for entry in page["files"]] == [OLD.filename]
