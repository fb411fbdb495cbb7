"""The pages of projects that a mirror serves, and of the mirror itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.helpers.distributions import core_metadata, wheel
from tests.helpers.sites import Serve
from tests.helpers.upstream import Upstream
from tests.helpers.web_clients import BROWSERS

from wheelgate.testing.site import Response, Site

ROOT = ("root", "")


@pytest.fixture
def site(serve: Serve, upstream: Upstream) -> Site:
    """Return a server with a mirror, and an index that inherits from it."""
    site = serve()
    for path, config in (
        ("root/mirror", {"type": "mirror", "mirror_url": upstream.url}),
        ("root/dev", {"bases": ["root/mirror"]}),
    ):
        assert site.request("PUT", f"/{path}", config, auth=ROOT).status == 200
    return site


def page(site: Site, path: str) -> Response:
    """Open a page in a browser."""
    return site.request("GET", path, headers=BROWSERS["chromium"])


def test_looking_at_a_mirror_asks_its_upstream_nothing(site: Site, upstream: Upstream) -> None:
    """Neither the overview nor the pages of users and indices send a request to an upstream."""
    for path in ("/", "/root", "/root/mirror", "/root/dev"):
        assert page(site, path).status == 200

    assert upstream.asked() == []


@pytest.mark.parametrize("index", ["root/mirror", "root/dev"])
def test_a_mirrored_project_has_the_description_of_its_upstream(site: Site, upstream: Upstream, index: str) -> None:
    """The page of a mirrored project shows summary, description and requirements, which are beside the file."""
    metadata = core_metadata(
        "weather-station",
        "1.0",
        summary="Reads weather stations",
        more=["Description-Content-Type: text/markdown", "Requires-Dist: clock-tower>=1", "", "# Weather", "**Wind**"],
    )
    upstream.add(wheel("weather-station", "1.0", metadata=metadata))

    answer = page(site, f"/{index}/weather-station")

    html = answer.content.decode()
    assert answer.status == 200
    for shown in ("Reads weather stations", "<h2>Weather</h2>", "<strong>Wind</strong>", "clock-tower</bdi>"):
        assert shown in html
    assert 'href="/root/mirror/+f/' in html
    assert ("from <a" in html) == (index == "root/dev")


def test_a_mirrored_project_without_metadata(site: Site, upstream: Upstream) -> None:
    """If the upstream has no metadata beside the file, the page shows the files all the same."""
    upstream.version = "1.0"
    upstream.add(wheel("weather-station", "1.0"))

    answer = page(site, "/root/mirror/weather-station")

    assert answer.status == 200
    assert "This release has no description." in answer.content.decode()
    assert "weather_station-1.0-py3-none-any.whl" in answer.content.decode()


def test_young_files_are_held_back(site: Site, upstream: Upstream) -> None:
    """A page says what a mirror holds back and until when; if that is everything, it is a 404 that says so."""
    young = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    upstream.add(wheel("weather-station", "1.0"))
    upstream.add(wheel("weather-station", "1.1"), upload_time=young)
    upstream.add(wheel("clock-tower", "1.0"), upload_time=young)
    assert site.request("PATCH", "/root/mirror", {"min_age": "7d"}, auth=ROOT).status == 200

    some, none = page(site, "/root/mirror/weather-station"), page(site, "/root/mirror/clock-tower")

    assert (some.status, none.status) == (200, 404)
    for answer in (some, none):
        assert "min_age=7d holds back 1 file: the next becomes available at" in answer.content.decode()
    assert ">1.1<" not in some.content.decode()


def test_an_upstream_that_does_not_answer(site: Site, upstream: Upstream) -> None:
    """Without its upstream, a mirror shows what it knows and says so; what it does not know is 503 or 504."""
    upstream.add(wheel("weather-station", "1.0"))
    assert page(site, "/root/mirror/weather-station").status == 200
    upstream.stop()
    site.request("POST", "/root/mirror/+simple/weather-station/refresh", auth=ROOT)

    known, unknown = page(site, "/root/mirror/weather-station"), page(site, "/root/mirror/clock-tower")

    assert (known.status, "An upstream does not answer" in known.content.decode()) == (200, True)
    assert unknown.status >= 500
    assert unknown.headers["content-type"].startswith("text/html")
