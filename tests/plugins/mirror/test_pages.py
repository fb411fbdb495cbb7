"""Pages of projects, and the list of all: what the upstream says, asked for once and then kept."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from typing import Any, Literal

import pytest
from tests.helpers import distributions
from tests.helpers.sites import Serve
from tests.helpers.upstream import UPLOADED, Fault, Upstream
from tests.plugins.mirror.conftest import JSON, ROOT, Mirror

from wheelgate import Index
from wheelgate.testing.site import Site

WHEEL = distributions.wheel("Abc.Def", "1.0", requires_python=">=3.8")
SDIST = distributions.sdist("abc-def", "0.9")


@pytest.mark.parametrize(
    ("form", "version"), [("json", "1.0"), ("json", "1.4"), ("html", "1.0"), ("html", "1.4"), ("both", "1.4")]
)
def test_a_page_tells_what_the_upstream_tells(
    mirror: Mirror, upstream: Upstream, form: Literal["html", "json", "both"], version: str
) -> None:
    """All that a page of HTML or JSON says of a file is passed on, under an address of this server."""
    upstream.form, upstream.version = form, version
    upstream.add(WHEEL, yanked="broken", provenance=f"{upstream.root}provenance")
    upstream.add(SDIST, yanked=True, sha256="")
    upstream.status["abc-def"] = ("deprecated", "use ghi")
    told = {"size": len(WHEEL.content), "upload-time": UPLOADED} if form != "html" and version != "1.0" else {}
    here = f"../../+f/{WHEEL.sha256[:3]}/{WHEEL.sha256[3:16]}/{WHEEL.filename}"
    address = f"http://localhost{mirror.path}{here.removeprefix('../..')}.provenance"
    proven = {"provenance": address} if version == "1.4" else {}

    answer = mirror.page("abc-def")

    files = answer.json["files"]
    assert files[1] == {
        "filename": WHEEL.filename,
        "url": here,
        "hashes": {"sha256": WHEEL.sha256},
        "requires-python": ">=3.8",
        "yanked": "broken",
        "core-metadata": files[1]["core-metadata"],
        **told,
        **proven,
    }
    assert files[1]["core-metadata"]["sha256"]
    assert files[0]["filename"] == SDIST.filename
    assert files[0]["hashes"] == {}
    assert files[0]["yanked"] in (True, "")
    port = upstream.root.rsplit(":", 1)[1].strip("/")
    assert files[0]["url"] == f"../../+e/http_127.0.0.1_{port}_files/{SDIST.filename}"
    assert answer.json["versions"] == ["0.9", "1.0"]
    if version == "1.4":
        assert answer.json["project-status"] == {"status": "deprecated", "reason": "use ghi"}


def entry(name: str = "abc-1.0.tar.gz", **changes: Any) -> dict[str, Any]:
    """Make a file's entry; None takes a key out."""
    whole = {"filename": name, "url": f"https://files.example/{name}", "hashes": {"sha256": "0" * 64}, **changes}
    return {key: value for key, value in whole.items() if value is not None}


GOOD = entry("abc-2.0.tar.gz")
OLD = {"sha256": "1" * 64}
ODD = [
    ("no name", entry(filename=None), None),
    ("a name that is none", entry(filename="../../abc-1.0.tar.gz"), None),
    ("another project's", entry("abcd-1.0.tar.gz"), None),
    ("no archive", entry("abc-1.0.txt"), None),
    ("no address", entry(url=None), None),
    ("an address of another kind", entry(url="file:///etc/passwd"), None),
    ("an address that is none", entry(url="https://[/abc-1.0.tar.gz"), None),
    ("no object", ["abc-1.0.tar.gz"], None),
    ("a second of that name", {**GOOD, "hashes": {}}, None),
    ("no hashes", entry(hashes=None), {"hashes": {}}),
    ("hashes that are none", entry(hashes={"sha256": "12", "md5": 5, "sha3_0": "0" * 64}), {"hashes": {}}),
    ("a hash in capitals", entry(hashes={"sha256": "A" * 64}), {"hashes": {"sha256": "a" * 64}}),
    ("a time of another zone", entry(**{"upload-time": "2020-02-02T03:02:02.020202+01:00"}), {"upload-time": UPLOADED}),
    ("a time without a zone", entry(**{"upload-time": "2020-01-01T01:00:00"}), {"upload-time": None}),
    ("a time that is none", entry(**{"upload-time": 5}), {"upload-time": None}),
    ("a size that is none", entry(size=-1), {"size": None}),
    ("a size that is a boolean", entry(size=True), {"size": None}),
    ("a version that is none", entry("abc-next.tar.gz"), {}),
    ("not yanked", entry(yanked=False), {"yanked": None}),
    ("yanked without a reason", entry(yanked=True), {"yanked": True}),
    ("metadata by its old name", entry(**{"dist-info-metadata": OLD}), {"core-metadata": OLD}),
    ("metadata without a hash", entry(**{"core-metadata": True}), {"core-metadata": True}),
    ("no metadata", entry(**{"core-metadata": False}), {"core-metadata": None}),
    ("a specifier on two lines", entry(**{"requires-python": ">3\n"}), {"requires-python": None}),
]  # fmt: skip


@pytest.mark.parametrize(("odd", "shown"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_one_odd_file_spoils_no_page(
    mirror: Mirror, upstream: Upstream, odd: Any, shown: dict[str, Any] | None
) -> None:
    """A file that no installer could use is left out; of one that says something odd, that is left out."""
    page = {"meta": {"api-version": "1.9"}, "name": "ABC", "files": [GOOD, odd], "project-status": {"status": "?"}}
    upstream.faults["/simple/abc/"] = Fault(body=json.dumps(page).encode(), headers={"Content-Type": JSON})

    files = mirror.files("abc")

    assert GOOD["filename"] in files
    assert files[GOOD["filename"]]["hashes"] == GOOD["hashes"]
    if shown is None:
        assert len(files) == 1
    else:
        (other,) = (told for name, told in files.items() if name != GOOD["filename"])
        assert {key: other.get(key) for key in shown} == shown


@pytest.mark.parametrize(
    ("head", "link"),
    [
        ('<base href="/elsewhere/sub/">', "../abc-1.0.tar.gz"),
        ("", "/elsewhere/abc-1.0.tar.gz"),
        ("", "../../elsewhere/abc-1.0.tar.gz#egg=abc"),
        ("", "//127.0.0.1:{port}/elsewhere/abc-1.0.tar.gz"),
        ("", "http://user:secret@127.0.0.1:{port}/elsewhere/abc-1.0.tar.gz"),
    ],
    ids=["base", "absolute path", "relative", "without a scheme", "with credentials"],
)
def test_links_of_html_lead_where_they_would_lead_a_browser(
    mirror: Mirror, upstream: Upstream, head: str, link: str
) -> None:
    """Links are taken from the page's address or its base; credentials in them are left out."""
    link = link.format(port=upstream.root.rsplit(":", 1)[1].strip("/"))
    text = f'<html><head>{head}</head><body><a href="../">up</a><a href="{link}">abc</a></body></html>'
    upstream.faults["/simple/abc/"] = Fault(body=text.encode(), headers={"Content-Type": "text/html"})

    (told,) = mirror.files("abc").values()

    assert told["filename"] == "abc-1.0.tar.gz"
    assert told["url"].endswith("_elsewhere/abc-1.0.tar.gz")
    upstream.faults["/elsewhere/abc-1.0.tar.gz"] = Fault(body=b"bytes")
    assert mirror.site.request("GET", mirror.path + told["url"].removeprefix("../..")).content == b"bytes"
    assert "authorization" not in upstream.asked("/elsewhere/abc-1.0.tar.gz")[-1].headers


def test_a_page_is_asked_for_once(mirror: Mirror, upstream: Upstream) -> None:
    """While a page is good, nobody asks for it; afterwards the upstream may say that nothing has changed."""
    upstream.add(WHEEL)
    mirror.set(mirror_cache_expiry=1800)
    pages = [mirror.page("abc-def") for _ in range(3)]
    mirror.site.request("GET", mirror.path + "/abc-def", headers={"Accept": "application/json"})
    assert upstream.count("/simple/abc-def/") == 1

    mirror.set(mirror_cache_expiry=0)
    pages += [mirror.page("abc-def") for _ in range(2)]

    asked = upstream.asked("/simple/abc-def/")
    assert len(asked) == 3
    assert "if-none-match" not in asked[0].headers
    assert asked[1].headers["if-none-match"] == asked[2].headers["if-none-match"]
    assert {page.content for page in pages} == {pages[0].content}


def test_a_change_shows_when_the_upstream_is_asked_again(mirror: Mirror, upstream: Upstream) -> None:
    """Until a page has expired, or is refreshed, it stays; then it shows what came and what went."""
    upstream.add(SDIST)
    mirror.set(mirror_cache_expiry=1800)
    assert [*mirror.files("abc-def")] == [SDIST.filename]
    upstream.add(WHEEL)
    upstream.remove(SDIST.filename)
    assert [*mirror.files("abc-def")] == [SDIST.filename]

    mirror.refresh("abc-def")

    assert [*mirror.files("abc-def")] == [WHEEL.filename]
    assert "if-none-match" not in upstream.asked("/simple/abc-def/")[-1].headers


def test_for_ever_is_until_somebody_refreshes(mirror: Mirror, upstream: Upstream) -> None:
    """With an expiry of -1 a page is never asked for again by itself."""
    upstream.add(WHEEL)
    mirror.set(mirror_cache_expiry=-1)
    for _ in range(2):
        mirror.files("abc-def")
    assert upstream.count() == 1

    mirror.refresh("abc-def")

    mirror.files("abc-def")
    assert upstream.count() == 2


@pytest.mark.parametrize("fault", [Fault(), Fault(status=404)], ids=["there", "not there"])
def test_many_who_ask_at_once_cause_one_request(mirror: Mirror, upstream: Upstream, fault: Fault) -> None:
    """A worker asks once, however many of its threads wait for the answer, even if that may not be kept."""
    upstream.add(WHEEL)
    gate = Event()
    upstream.faults["/simple/abc-def/"] = replace(fault, gate=gate)
    index = Index("root", mirror.path[6:], "mirror", {"mirror_url": upstream.url, "mirror_cache_expiry": 0})
    source = mirror.site.application._packages.sources.of(index)
    assert source is not None

    waiting = Barrier(11)

    def ask() -> bool:
        waiting.wait(60)
        return source.project(index, "abc-def") is not None

    with ThreadPoolExecutor(10) as threads:
        answers = [threads.submit(ask) for _ in range(10)]
        waiting.wait(60)
        upstream.wait_for("/simple/abc-def/")
        # Who comes later than the answer asks by itself, so all must wait by now.
        locks = source._cache._locks  # type: ignore[attr-defined]
        for _ in range(1000):
            if sum(len(wanted) for _, wanted in locks._locks.values()) == 10:
                break
            Event().wait(0.01)
        gate.set()

        assert {answer.result() for answer in answers} == {not fault.status}

    assert upstream.count("/simple/abc-def/") == 1


def test_what_is_not_there_is_not_asked_for_again_at_once(mirror: Mirror, upstream: Upstream) -> None:
    """A project that the upstream does not have is 404; that is remembered for a minute, or until a refresh."""
    mirror.set(mirror_cache_expiry=1800)
    assert [mirror.page("abc-def").status for _ in range(3)] == [404] * 3
    assert mirror.site.request("GET", f"{mirror.path}/abc-def", headers={"Accept": "application/json"}).status == 404
    assert upstream.count("/simple/abc-def/") == 1
    upstream.add(WHEEL)

    mirror.refresh("abc-def")

    assert mirror.page("abc-def").status == 200


@pytest.mark.parametrize("status", [404, 410])
def test_a_project_that_is_taken_away_is_gone(mirror: Mirror, upstream: Upstream, status: int) -> None:
    """What an upstream removes is no longer listed; a file that was fetched is still there for who knows it."""
    upstream.add(WHEEL)
    address = mirror.address(WHEEL)
    assert mirror.site.request("GET", address).content == WHEEL.content
    upstream.faults["/simple/abc-def/"] = Fault(status=status)

    assert mirror.page("abc-def").status == 404
    assert mirror.site.request("GET", address).content == WHEEL.content

    upstream.faults.clear()
    assert mirror.page("abc-def").status == 200


@pytest.mark.parametrize(("ignored", "shown"), [(False, SDIST.filename), (True, WHEEL.filename)])
def test_a_page_from_an_old_cache_is_not_believed(
    mirror: Mirror, upstream: Upstream, ignored: bool, shown: str
) -> None:
    """If the upstream's serial goes back, its page is older than ours, unless the serial is not to be believed."""
    mirror.set(mirror_ignore_serial_header=ignored)
    upstream.add(SDIST)
    upstream.headers["X-PyPI-Last-Serial"] = "7"
    assert [*mirror.files("abc-def")] == [SDIST.filename]
    upstream.remove(SDIST.filename)
    upstream.add(WHEEL)
    upstream.headers["X-PyPI-Last-Serial"] = "6"

    assert [*mirror.files("abc-def")] == [shown]

    upstream.headers["X-PyPI-Last-Serial"] = "8"
    assert [*mirror.files("abc-def")] == [WHEEL.filename]


def test_another_upstream_is_another_world(mirror: Mirror, upstream: Upstream) -> None:
    """Pages of the upstream that a mirror had before are not taken for those of the new one."""
    upstream.add(WHEEL)
    mirror.set(mirror_cache_expiry=1800)
    assert mirror.page("abc-def").status == 200
    assert mirror.names() == ["abc-def"]

    with Upstream() as other:
        other.list_names("ghi")
        mirror.set(mirror_url=other.url)

        assert mirror.page("abc-def").status == 404
        assert mirror.names() == ["ghi"]


@pytest.mark.parametrize("form", ["json", "html"])
def test_the_list_of_projects_is_asked_for_by_itself(
    mirror: Mirror, upstream: Upstream, form: Literal["json", "html"]
) -> None:
    """Names are normalised and in order; nobody asks for them with a project's page, and only once while they hold."""
    upstream.form = form
    upstream.add(WHEEL)
    upstream.list_names("zz-top", "a2")
    mirror.set(mirror_cache_expiry=1800)
    mirror.page("abc-def")
    assert upstream.count("/simple/") == 0

    assert mirror.names() == ["a2", "abc-def", "zz-top"]
    assert mirror.site.request("GET", mirror.path).result["projects"] == ["a2", "abc-def", "zz-top"]
    assert upstream.count("/simple/") == 1

    upstream.list_names("a1")
    mirror.set(mirror_cache_expiry=0)
    assert mirror.names() == ["a1", "a2", "abc-def", "zz-top"]
    upstream.stop()
    answer = mirror.page()
    assert (answer.status, answer.headers["x-wheelgate-stale"]) == (200, "true")
    assert len(answer.json["projects"]) == 4


def test_a_long_list_is_read_in_pieces(mirror: Mirror, upstream: Upstream) -> None:
    """A list of any length is read whole, with whatever else its entries say; what is no name is left out."""
    names = [f"project-{number}" for number in range(60_000)]
    entries = [{"_last-serial": 5, "name": name} for name in [*names, "../x", "Project_7"]]
    body = json.dumps({"projects": entries, "meta": {"api-version": "1.1", "tracks": []}}).encode()
    upstream.faults["/simple/"] = Fault(body=body, headers={"Content-Type": JSON})

    assert mirror.names() == sorted(names)


def test_without_a_list_there_are_the_projects_that_were_asked_for(mirror: Mirror, upstream: Upstream) -> None:
    """``mirror_no_project_list`` keeps the upstream's list away: names come as they are asked for."""
    upstream.add(WHEEL)
    mirror.set(mirror_no_project_list=True)
    assert mirror.names() == []

    for name in ("abc-def", "nope"):
        mirror.page(name)

    assert mirror.names() == ["abc-def"]
    assert upstream.count("/simple/") == 0


def test_a_mirror_without_an_upstream_is_empty(shared: Site, fresh: str) -> None:
    """Until it is said where packages come from, there are none, and nothing fails."""
    mirror = Mirror(shared, f"/root/{fresh}")

    assert mirror.names() == []
    assert mirror.page("abc-def").status == 404
    assert shared.request("GET", f"{mirror.path}/+f/abc/0123456789abc/abc-1.0.tar.gz").status == 404


def test_pages_survive_a_restart(serve: Serve, upstream: Upstream) -> None:
    """What was asked for before is there after a restart, also if the upstream is not."""
    upstream.add(WHEEL)
    mirror = Mirror(serve(), "/root/up", mirror_url=upstream.url, mirror_cache_expiry=0)
    before = mirror.page("abc-def").json
    mirror.names()
    upstream.stop()

    mirror.site = serve()

    assert mirror.page("abc-def").json == before
    assert mirror.names() == ["abc-def"]


def test_a_deleted_index_leaves_nothing(mirror: Mirror, upstream: Upstream) -> None:
    """A new index of the same name knows nothing of the pages and files of the old one."""
    upstream.add(WHEEL)
    address = mirror.address(WHEEL)
    assert mirror.site.request("GET", address).status == 200
    assert mirror.site.request("DELETE", mirror.path, auth=ROOT).status == 201
    upstream.stop()

    again = Mirror(mirror.site, mirror.path, mirror_url=upstream.url)

    assert again.page("abc-def").status == 502
    assert again.site.request("GET", address).status == 502
