"""The pages of a project, of its versions, and of where it comes from."""

from __future__ import annotations

import re
from html import unescape

import pytest
from tests.helpers.distributions import sdist, wheel
from tests.helpers.memory_indices import ShelvesPlugin, file, project
from tests.helpers.project_pages import ROOT, links, make_index, page, section, text_of, upload_with
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, submit, upload
from tests.helpers.web_clients import BROWSERS

from wheelgate.testing.site import Site

CHROMIUM = BROWSERS["chromium"]


@pytest.fixture(scope="module")
def shelves() -> ShelvesPlugin:
    """Return index types that a test fills."""
    return ShelvesPlugin()


@pytest.fixture(scope="module")
def site(serve_shared: Serve, shelves: ShelvesPlugin) -> Site:
    """Return one server for all tests of this file."""
    return serve_shared(extra={"shelves": shelves})


def weather(site: Site, fresh: str) -> str:
    """Fill an index with five versions of a project, and return its path."""
    path = make_index(site, f"root/{fresh}")
    for version in ("0.9", "1.0", "1.1", "1.2", "2.0rc1"):
        fields = [("summary", "Reads weather stations"), ("requires_python", ">=3.8"), ("license", "MIT")]
        upload_with(site, path, wheel("weather-station", version), fields)
    yank = {"yanked": True, "reason": "it forgets the wind"}
    assert site.request("PATCH", f"/{path}/weather-station/1.2", yank, auth=ROOT).status == 200
    return path


def test_the_page_of_a_project_is_that_of_its_latest_version(site: Site, fresh: str) -> None:
    """The latest version is neither a pre-release nor yanked; the line to copy names no version."""
    path = weather(site, fresh)

    answer = page(site, f"/{path}/weather-station")

    text = text_of(answer)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert re.search(r"<h1[^>]*><bdi>weather-station</bdi></h1>", answer.content.decode())
    assert "Latest version 1.1" in text
    assert "Reads weather stations" in text
    assert f"pip install --index-url http://localhost/{path}/+simple/ weather-station Copy" in text
    assert "weather_station-1.1-py3-none-any.whl" in section(answer, "Files")
    assert "newer version" not in text
    assert f'<link rel="alternate" type="application/json" href="/{path}/weather-station">' in answer.content.decode()


def test_the_page_of_a_version(site: Site, fresh: str) -> None:
    """The page of a version names it in the heading and in the line to copy, and lists its files alone."""
    path = weather(site, fresh)
    dist = wheel("weather-station", "1.0")

    answer = page(site, f"/{path}/weather-station/1.0")

    files = section(answer, "Files")
    assert re.search(r"<h1[^>]*><bdi>weather-station</bdi> <bdi>1.0</bdi></h1>", answer.content.decode())
    assert "weather-station==1.0 Copy" in text_of(answer)
    assert links(files) == {dist.filename: f"/{path}/{address(dist)}"}
    assert f"{dist.sha256[:12]}<" in files
    assert " by <bdi>root</bdi>" in files
    assert "Copy SHA-256" in files
    assert "A newer version is there: 1.1" in text_of(answer)
    assert links(section(page(site, f"/{path}/weather-station/1.0.0"), "Files")) == links(files)


@pytest.mark.parametrize(
    ("version", "newer", "yanked"),
    [("0.9", True, False), ("1.1", False, False), ("1.2", False, True), ("2.0rc1", False, False)],
)
def test_notes_about_a_version(site: Site, fresh: str, version: str, newer: bool, yanked: bool) -> None:
    """A page says that a newer version is there, and that this one is yanked, with the reason."""
    text = text_of(page(site, f"/{weather(site, fresh)}/weather-station/{version}"))

    assert ("A newer version is there: 1.1" in text) == newer
    assert ("Yanked : it forgets the wind" in text) == yanked


def test_the_list_of_versions(site: Site, fresh: str) -> None:
    """Versions are listed newest first, each with a link, and with words for pre-releases and yanked ones."""
    path = weather(site, fresh)

    found = section(page(site, f"/{path}/weather-station"), "Versions")

    lines = [" ".join(unescape(re.sub(r"<[^>]*>", " ", line)).split()[:2]) for line in found.split("<li>")[1:]]
    assert [line.split()[0] for line in lines] == ["2.0rc1", "1.2", "1.1", "1.0", "0.9"]
    assert [line for line in lines if "pre-release" in line or "yanked" in line] == ["2.0rc1 pre-release", "1.2 yanked"]
    assert links(found)["1.0"] == f"/{path}/weather-station/1.0"
    assert found.count("<time datetime=") == 5


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("weather-station/latest", "weather-station/1.1"),
        ("weather-station/stable", "weather-station/1.1"),
        ("Weather_Station", "weather-station"),
        ("Weather_Station/1.0", "weather-station/1.0"),
    ],
)
def test_redirects(site: Site, fresh: str, asked: str, location: str) -> None:
    """``latest`` and ``stable`` lead to a version, and other spellings of a name to the normalised one."""
    path = weather(site, fresh)

    answer = page(site, f"/{path}/{asked}")

    assert answer.status == 302
    assert page(site, f"/{path}/{location}").status == 200
    assert (
        f"/{path}/" + answer.headers["location"].replace("../", "").removeprefix(f"/{path}/")
    ) == f"/{path}/{location}"


@pytest.mark.parametrize("version", ["7", "nonsense", "<b>", "x" * 4000], ids=lambda version: version[:10])
def test_an_unknown_version_names_those_that_there_are(site: Site, fresh: str, version: str) -> None:
    """A version that does not exist is a 404 with the versions that do."""
    path = weather(site, fresh)

    answer = page(site, f"/{path}/weather-station/{version}")

    assert answer.status == 404
    assert "Not found" in text_of(answer)
    assert set(links(section(answer, "Versions"))) == {"0.9", "1.0", "1.1", "1.2", "2.0rc1"}
    assert "<b>" not in answer.content.decode()


def test_an_absent_project_is_not_found(site: Site, fresh: str) -> None:
    """A project that does not exist is a page with 404."""
    path = make_index(site, f"root/{fresh}")

    answer = page(site, f"/{path}/nothing")

    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_a_release_without_description_and_files(site: Site, fresh: str) -> None:
    """A version that was only registered says that it has neither."""
    path = make_index(site, f"root/{fresh}")
    submit(site, path, ROOT, **{":action": "submit", "name": "bare", "version": "1"})

    answer = page(site, f"/{path}/bare")

    assert "This release has no description." in section(answer, "Description")
    assert "This release has no files." in section(answer, "Files")
    assert "None." in section(answer, "Dependencies")


@pytest.mark.parametrize(("status", "word"), [("deprecated", "Deprecated"), ("archived", "Archived")])
def test_the_status_of_a_project(site: Site, fresh: str, status: str, word: str) -> None:
    """A page shows the status of a project with the reason, and goes on offering the files."""
    path = weather(site, fresh)
    change = {"status": status, "reason": "use <other>"}
    assert site.request("PATCH", f"/{path}/weather-station", change, auth=ROOT).status == 200

    answer = page(site, f"/{path}/weather-station")

    assert f"{word} : use <other>" in text_of(answer)
    assert "weather_station-1.1-py3-none-any.whl" in links(section(answer, "Files"))


def test_a_quarantined_project_has_no_links_to_files(site: Site, fresh: str) -> None:
    """The files of a project in quarantine are named and not linked, there is nothing to install, and it says why."""
    path = weather(site, fresh)
    change = {"status": "quarantined", "reason": "it steals"}
    assert site.request("PATCH", f"/{path}/weather-station", change, auth=ROOT).status == 200

    answer = page(site, f"/{path}/weather-station")

    files = section(answer, "Files")
    assert "Quarantined : it steals" in text_of(answer)
    assert "weather_station-1.1-py3-none-any.whl" in files
    assert links(files) == {}
    assert "pip install" not in text_of(answer)


def test_files_of_several_indices(site: Site, fresh: str) -> None:
    """A file says from which index it comes; what another file hides is folded, without a link."""
    base = make_index(site, f"root/{fresh}base")
    path = make_index(site, f"root/{fresh}", bases=[base])
    hidden, own, inherited = wheel("demo", "1.0"), wheel("demo", "1.0", seed=1), sdist("demo", "1.0")
    for index, dist in ((base, hidden), (base, inherited), (path, own)):
        assert upload(site, index, dist, ROOT).status == 200

    found = section(page(site, f"/{path}/demo/1.0"), "Files")

    served, _, folded = found.partition("<details>")
    assert links(served) == {
        own.filename: f"/{path}/{address(own)}",
        inherited.filename: f"/{base}/{address(inherited)}",
        base: f"/{base}",
    }
    assert hidden.filename in folded
    assert links(folded) == {}


def test_files_that_a_mirror_holds_back(site: Site, shelves: ShelvesPlugin, fresh: str) -> None:
    """A page says which files a mirror holds back and until when, and that an upstream does not answer."""
    path = make_index(site, f"root/{fresh}", type="far")
    young = "min_age=7d holds back 1 file: the next becomes available at 2027-01-01T00:00:00Z"
    shelves.far.put(path, "demo", project("demo", file("demo-1.0.tar.gz"), left_out=young, stale=True))

    text = text_of(page(site, f"/{path}/demo"))

    assert f"Held back by {path} : {young}" in text
    assert "An upstream does not answer" in text


def test_a_project_that_a_mirror_holds_back_entirely(site: Site, shelves: ShelvesPlugin, fresh: str) -> None:
    """If all versions are held back, the page is a 404 that says so."""
    path = make_index(site, f"root/{fresh}", type="far")
    shelves.far.put(path, "demo", project("demo", left_out="min_age=7d holds back 1 file"))
    shelves.far.releases = lambda index, name: ()  # type: ignore[method-assign]

    answer = page(site, f"/{path}/demo")

    assert answer.status == 404
    assert "min_age=7d holds back 1 file" in text_of(answer)


def test_where_a_project_comes_from(site: Site, shelves: ShelvesPlugin, fresh: str) -> None:
    """The why page lists the indices in the order in which they are asked, each with state, versions and reason."""
    base, far = make_index(site, f"root/{fresh}base"), make_index(site, f"root/{fresh}far", type="far")
    path = make_index(site, f"root/{fresh}", bases=[base, far])
    upload(site, base, wheel("demo", "1.0"), ROOT)
    shelves.far.put(far, "demo", project("demo", "demo-9.0.tar.gz"))

    answer = page(site, f"/{path}/+why/demo")

    rows = answer.content.decode().partition('<tbody role="rowgroup">')[2].split("</tr>")[:-1]
    cells = [
        [unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in re.split(r"</t[hd]>", row)[:-1]] for row in rows
    ]
    assert [row[:4] for row in cells] == [
        [path, "stage", "absent", "none"],
        [base, "stage", "served", "1.0"],
        [far, "far", "hidden", "9.0"],
    ]
    assert f"the name belongs to {base}" in cells[2][4]
    assert links(page(site, f"/{path}/demo").content.decode())["Why?"] == f"/{path}/+why/demo"


@pytest.mark.parametrize("below", ["demo", "demo/1.0", "demo/7", "+why/demo"])
def test_a_private_project_looks_like_an_absent_one(site: Site, fresh: str, below: str) -> None:
    """Whoever may not read an index gets the page of one that does not exist, byte for byte but for the names."""
    path = make_index(site, f"root/{fresh}", acl_read=["root"])
    upload(site, path, wheel("demo", "1.0"), ROOT)
    bob = site.add_user(f"{fresh}bob")

    for auth in (None, bob):
        private, absent = page(site, f"/{path}/{below}", auth), page(site, f"/root/{fresh}x/{below}", auth)
        assert private.status == absent.status
        assert private.content == absent.content.replace(f"{fresh}x".encode(), fresh.encode())
    assert page(site, f"/{path}/{below}", ROOT).status == (404 if below == "demo/7" else 200)


def test_a_kept_page_follows_changes(site: Site, fresh: str) -> None:
    """The page of an anonymous reader is kept, answers 304, and changes as soon as what it shows does."""
    path = make_index(site, f"root/{fresh}")
    upload_with(site, path, wheel("demo", "1.0"), [("requires_dist", "clock-tower")])
    first = page(site, f"/{path}/demo")
    again = page(site, f"/{path}/demo", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.content) == (304, b"")
    assert page(site, f"/{path}/demo").content == first.content

    upload(site, path, wheel("clock-tower", "1.0"), ROOT)
    linked = page(site, f"/{path}/demo")
    upload(site, path, wheel("demo", "1.1"), ROOT)
    newer = page(site, f"/{path}/demo")
    site.request("PATCH", f"/{path}", {"acl_read": ["root"]}, auth=ROOT)

    assert links(section(linked, "Dependencies")) == {"clock-tower": f"/{path}/clock-tower"}
    assert "Latest version 1.1" in text_of(newer)
    assert page(site, f"/{path}/demo").status == 401


def test_many_versions(site: Site, shelves: ShelvesPlugin, fresh: str) -> None:
    """A page lists fifty versions, and leads to a list of all; it stays below 50 kB."""
    path = make_index(site, f"root/{fresh}", type="near")
    shelves.near.put(path, "demo", project("demo", *(f"demo-1.{number}.tar.gz" for number in range(400))))

    answer = page(site, f"/{path}/demo")
    whole = page(site, f"/{path}/demo?versions=all")

    assert len(answer.content) < 50_000
    assert links(section(answer, "Versions"))["All 400 versions"] == f"/{path}/demo?versions=all"
    assert len(links(section(answer, "Versions"))) == 51
    assert len(links(section(whole, "Versions"))) == 400
