"""The index of the search follows the packages of the server: by events, and by stamps if events were lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.helpers.distributions import Distribution, wheel
from tests.helpers.search_pages import BROWSER, search
from tests.helpers.upload_forms import address, submit, upload

from wheelgate.testing.site import Site

OLD, NEW = wheel("clock-tower", "1.0", summary="Strikes"), wheel("clock-tower", "1.1", summary="Chimes")
PRE = wheel("clock-tower", "2.0rc1", summary="Rings")
Auth = tuple[str, str]


@pytest.fixture
def emilie(site: Site) -> Auth:
    """Return a user with two indices, and one release on the first."""
    auth = site.add_user("emilie")
    for name in ("dev", "prod"):
        site.request("PUT", f"/emilie/{name}", {}, auth=auth)
    upload(site, "emilie/dev", OLD, auth)
    site.run_jobs()
    return auth


def push(site: Site, auth: Auth) -> None:
    """Push the release to the other index."""
    body = {"name": "clock-tower", "version": "1.0", "targetindex": "emilie/prod"}
    assert site.request("PUSH", "/emilie/dev", body, auth=auth).status == 200


CHANGES: list[Any] = [
    pytest.param(lambda site, auth: upload(site, "emilie/dev", NEW, auth), [("dev", "1.1", "Chimes")], id="upload"),
    pytest.param(
        lambda site, auth: upload(site, "emilie/dev", PRE, auth), [("dev", "1.0", "Strikes")], id="pre-release"
    ),
    pytest.param(push, [("dev", "1.0", "Strikes"), ("prod", "1.0", "Strikes")], id="push"),
    pytest.param(
        lambda site, auth: submit(
            site, "emilie/dev", auth, **{":action": "submit"}, name="Clock.Tower", version="1.2", summary="Ticks"
        ),
        [("dev", "1.2", "Ticks")],
        id="register",
    ),
    pytest.param(lambda site, auth: site.request("DELETE", "/emilie/dev/clock-tower", auth=auth), [], id="project"),
    pytest.param(lambda site, auth: site.request("DELETE", "/emilie/dev/clock-tower/1.0", auth=auth), [], id="version"),
    pytest.param(lambda site, auth: site.request("DELETE", f"/emilie/dev/{address(OLD)}", auth=auth), [], id="file"),
    pytest.param(lambda site, auth: site.request("DELETE", "/emilie/dev", auth=auth), [], id="index"),
    pytest.param(lambda site, auth: site.request("DELETE", "/emilie", auth=auth), [], id="user"),
]


@pytest.mark.parametrize("lost", [False, True], ids=["by events", "by stamps"])
@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_the_search_follows_every_change(
    site: Site, emilie: Auth, change: Callable[[Site, Auth], Any], expected: list[tuple[str, str, str]], *, lost: bool
) -> None:
    """After a change the search finds what there is now; also if the worker that made it was killed before it told."""
    change(site, emilie)
    if lost:
        with Site(site.config.serverdir, prepared=True, database=site.config["database"]) as other:
            other.run_jobs()
    else:
        site.run_jobs()

    found = search(site, "clock-tower")
    assert found.addresses == [f"emilie/{index}/clock-tower" for index, *_ in expected]
    assert all(version in found.text and summary in found.text for _, version, summary in expected)


def test_a_yanked_version_is_not_the_latest(site: Site, emilie: Auth) -> None:
    """The version that a search names is the highest that is neither yanked nor a pre-release."""
    upload(site, "emilie/dev", NEW, emilie)
    site.request("PATCH", "/emilie/dev/clock-tower/1.1", {"yanked": True, "reason": ""}, auth=emilie)
    site.run_jobs()
    yanked = search(site, "clock-tower").text
    site.request("PATCH", "/emilie/dev/clock-tower/1.1", {"yanked": False}, auth=emilie)
    site.run_jobs()

    assert ("1.0" in yanked, "1.1" in yanked) == (True, False)
    assert "1.1" in search(site, "clock-tower").text


def test_indexing_goes_on_where_it_was_stopped(site: Site) -> None:
    """A worker that dies in the middle of an index leaves nothing wrong; the next one reads the rest and ends it."""
    auth = site.add_user("emilie")
    site.request("PUT", "/emilie/dev", {}, auth=auth)
    for number in range(30):
        upload(site, "emilie/dev", wheel(f"part-{number}", "1.0"), auth)
    database = site.server.database
    site.run_jobs()
    with database.transaction(derived=True):  # what a worker leaves that was killed between two of its transactions
        database.write("DELETE FROM web_index")
        database.write("DELETE FROM web_project WHERE name LIKE ?", ("part-2%",))
        if database.kind == "sqlite":
            database.write("DELETE FROM web_search WHERE rowid NOT IN (SELECT id FROM web_project)")
    before = search(site, "part")
    with Site(site.config.serverdir, prepared=True, database=site.config["database"]) as other:
        other.run_jobs()

    assert len(before.names) == 19
    assert "Next page" in search(site, "part").text
    assert search(site, "part-29").names[:1] == ["part-29"]


def test_reindex_makes_the_index_again(site: Site, emilie: Auth, capsys: pytest.CaptureFixture[str]) -> None:
    """``devpi-server reindex`` makes everything again, whatever the tables contain."""
    database = site.server.database
    with database.transaction(derived=True):
        database.write("UPDATE web_project SET summary = 'wrong', squeezed = 'wrong'")
    assert site.run_command("reindex") == 0

    assert capsys.readouterr().out == "the search finds 1 project\n"
    assert search(site, "strikes").names == ["clock-tower"]
    assert search(site, "clock-tower").names == ["clock-tower"]


def test_indexing_leaves_the_serial(site: Site, emilie: Auth) -> None:
    """Writing the index makes no cached page invalid."""
    upload(site, "emilie/dev", NEW, emilie)
    before = site.server.database.serial()
    site.run_jobs()

    assert site.server.database.serial() == before


def requiring(name: str, *requirements: str) -> Distribution:
    """Make a wheel with requirements."""
    return wheel(name, "1.0", requires_dist=requirements)


def test_a_page_names_the_users_of_a_project(site: Site) -> None:
    """The page lists projects whose latest version requires the project, on the indices that the reader may read."""
    auth = site.add_user("emilie")
    for name, config in (("dev", {}), ("secret", {"acl_read": ["emilie"]})):
        site.request("PUT", f"/emilie/{name}", config, auth=auth)
    for name in ("clock-tower", "clocktower", "unused"):
        upload(site, "emilie/dev", wheel(name, "1.0"), auth)

    def users(name: str, auth: Auth | None = None) -> list[str]:
        site.run_jobs()
        page = site.request("GET", f"/emilie/dev/{name}", auth=auth, headers=BROWSER).content.decode()
        _, _, section = page.partition('<h2 id="users">Used by</h2>')
        return re.findall(r'href="/([^"]*)"', section.partition("</section>")[0])

    before = users("clock-tower")
    upload(site, "emilie/dev", requiring("bell", "clocktower", "clock-tower-extras"), auth)
    upload(site, "emilie/dev", requiring("station", "Clock_Tower[fast]>=1 ; python_version > '3'", "requests"), auth)
    upload(site, "emilie/secret", requiring("hidden", "clock.tower"), auth)

    assert (before, users("clock-tower")) == ([], ["emilie/dev/station"])
    assert users("clock-tower", auth) == ["emilie/secret/hidden", "emilie/dev/station"]
    assert users("clocktower") == ["emilie/dev/bell"]
    assert users("unused", auth) == []
