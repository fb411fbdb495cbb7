"""Absent projects: the mirror remembers for a minute that its upstream does not have one, and says so."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime
from pathlib import Path

import pytest
from tests.helpers import distributions
from tests.helpers.simple_pages import SIMPLE_JSON
from tests.helpers.sites import Serve
from tests.helpers.upstream import Fault, Upstream
from tests.plugins.mirror.conftest import ROOT, Mirror

from wheelgate.testing.site import Response, Site
from wheelgate_mirror.cache import ABSENT_SECONDS

WHEEL = distributions.wheel("abc", "1.0")
HEADER = "x-wheelgate-absent-until"


@pytest.fixture
def remembering(mirror: Mirror) -> Mirror:
    """Return a mirror that remembers its upstream's answers."""
    mirror.set(mirror_cache_expiry=1800)
    return mirror


def until(answer: Response) -> float:
    """Return the time in the header of an answer, in seconds since 1970."""
    return datetime.fromisoformat(answer.headers[HEADER]).timestamp()


@pytest.mark.parametrize("gone", [False, True], ids=["never there", "removed"])
@pytest.mark.parametrize("body", [b"", b"<html><title>Links for abc</title></html>"], ids=["404", "an empty page"])
def test_an_answer_says_until_when_an_absence_is_remembered(
    remembering: Mirror, upstream: Upstream, gone: bool, body: bytes
) -> None:
    """The page, the data and a file of an absent project say it in a header, and the page and ``why`` in a sentence."""
    if gone:
        upstream.add(WHEEL)
        remembering.files("abc")
    upstream.faults["/simple/abc/"] = (
        Fault(body=body, headers={"Content-Type": "text/html"}) if body else Fault(status=404)
    )
    remembering.refresh("abc")
    begun = time.time()

    page = remembering.page("abc")
    data, file = (remembering.site.request("GET", f"{remembering.path}/{path}") for path in ("abc", "+f/0/1/abc-1.zip"))
    why = remembering.site.request("GET", f"{remembering.path}/+why/abc")

    assert [answer.status for answer in (page, data, file)] == [404] * 3
    assert begun + ABSENT_SECONDS <= until(page) <= time.time() + ABSENT_SECONDS + 1
    assert page.headers[HEADER] == data.headers[HEADER] == file.headers[HEADER]
    assert f"{remembering.path[1:]} remembers until {page.headers[HEADER]}" in page.message
    assert "'devpi refresh abc'" in page.message
    (entry,) = why.result["indices"]
    assert (entry["state"], entry["absent_until"]) == ("absent", page.headers[HEADER])
    assert re.search(r"remembers that until \S+, and 'devpi refresh abc' asks again", entry["reason"])
    assert upstream.count("/simple/abc/") == (2 if gone else 1)


def test_an_absence_that_is_not_remembered(mirror: Mirror, upstream: Upstream) -> None:
    """With an expiry of 0 the mirror asks each time, so no answer names a time."""
    answers = [mirror.page("abc"), mirror.page("abc"), mirror.site.request("GET", f"{mirror.path}/+why/abc")]

    assert [HEADER in answer.headers for answer in answers] == [False] * 3
    assert "absent_until" not in answers[2].result["indices"][0]
    assert upstream.count("/simple/abc/") == 3


def test_a_refresh_ends_an_absence_in_all_workers(serve: Serve, upstream: Upstream, tmp_path: Path) -> None:
    """All workers ask the upstream after a refresh on one of them."""
    first = Mirror(serve(), "/root/up", mirror_url=upstream.url)
    with Site(tmp_path / "server") as other:
        second = Mirror(other, "/root/second", mirror_url=upstream.url)
        second.path = first.path
        assert [worker.page("abc").status for worker in (first, second, first, second)] == [404] * 4
        assert upstream.count("/simple/abc/") == 2
        upstream.add(WHEEL)

        first.refresh("abc")

        assert [worker.page("abc").status for worker in (second, first)] == [200, 200]


def test_a_refresh_adds_what_was_absent_to_other_files(remembering: Mirror, fresh: str, upstream: Upstream) -> None:
    """An index of two mirrors shows the files of both after a refresh, even if one of them did not have the project."""
    site = remembering.site
    with Upstream() as other:
        other.add(distributions.wheel("abc", "2.0"))
        second = Mirror(site, f"/root/{fresh}-other", mirror_url=other.url)
        bases = [remembering.path[1:], second.path[1:]]
        assert site.request("PUT", f"/root/{fresh}-both", {"bases": bases}, auth=ROOT).status == 200
        both = second
        both.path = f"/root/{fresh}-both"
        assert [*both.files("abc")] == ["abc-2.0-py3-none-any.whl"]
        upstream.add(WHEEL)
        assert [*both.files("abc")] == ["abc-2.0-py3-none-any.whl"]

        remembering.refresh("abc")

        assert sorted(both.files("abc")) == [WHEEL.filename, "abc-2.0-py3-none-any.whl"]


def test_a_file_is_described_though_a_shorter_name_is_absent(remembering: Mirror, upstream: Upstream) -> None:
    """``abc-def-1.0.zip`` may belong to ``abc``; that this project is absent does not hide ``abc-def``."""
    file = {
        "filename": "abc-def-1.0.zip",
        "url": "https://files.example/abc-def-1.0.zip",
        "hashes": {"sha256": "0" * 64},
    }
    upstream.faults["/simple/abc-def/"] = Fault(
        body=json.dumps({"name": "abc-def", "files": [file]}).encode(), headers={"Content-Type": SIMPLE_JSON}
    )
    path = f"{remembering.path}/+f/000/{'0' * 13}/abc-def-1.0.zip"

    described = remembering.site.request("GET", path, headers={"Accept": "application/json"})

    assert (described.status, described.result["project"]) == (200, "abc-def")
