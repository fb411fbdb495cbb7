"""Pages of projects and the list of all projects: fetched from the upstream once, then cached."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from typing import Any, Literal

import pytest
from tests.helpers import distributions
from tests.helpers.simple_pages import SIMPLE_JSON
from tests.helpers.sites import Serve
from tests.helpers.upstream import UPLOADED, Fault, Upstream
from tests.plugins.mirror.conftest import ROOT, Mirror

from wheelgate import Index
from wheelgate.testing.site import Site
from wheelgate_mirror.source import MirrorPackages

WHEEL = distributions.wheel("Abc.Def", "1.0", requires_python=">=3.8")
SDIST = distributions.sdist("abc-def", "0.9")


@pytest.mark.parametrize(
    ("form", "version"), [("json", "1.0"), ("json", "1.4"), ("html", "1.0"), ("html", "1.4"), ("both", "1.4")]
)
def test_a_page_passes_on_all_fields(
    mirror: Mirror, upstream: Upstream, form: Literal["html", "json", "both"], version: str
) -> None:
    """A page shows every field of a file on the upstream's page, HTML or JSON, with URLs of this server."""
    upstream.form, upstream.version = form, version
    upstream.add(WHEEL, yanked="broken", provenance=f"{upstream.root}provenance")
    upstream.add(SDIST, yanked=True, sha256="")
    upstream.status["abc-def"] = ("deprecated", "use ghi")
    timed = {"size": len(WHEEL.content), "upload-time": UPLOADED} if form != "html" and version != "1.0" else {}
    url = f"../../+f/{WHEEL.sha256[:3]}/{WHEEL.sha256[3:16]}/{WHEEL.filename}"
    address = f"http://localhost{mirror.path}{url.removeprefix('../..')}.provenance"
    proven = {"provenance": address} if version == "1.4" else {}

    answer = mirror.page("abc-def")

    files = answer.json["files"]
    assert files[1] == {
        "filename": WHEEL.filename,
        "url": url,
        "hashes": {"sha256": WHEEL.sha256},
        "requires-python": ">=3.8",
        "yanked": "broken",
        "core-metadata": files[1]["core-metadata"],
        **timed,
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


def entry(name: str = "abc-1.0.tar.gz", /, **changes: object) -> dict[str, Any]:
    """Return the entry of a file on a JSON page; None removes a key."""
    fields = {"filename": name, "url": f"https://files.example/{name}", "hashes": {"sha256": "0" * 64}, **changes}
    return {key: value for key, value in fields.items() if value is not None}


GOOD = entry("abc-2.0.tar.gz")
METADATA_HASH = {"sha256": "1" * 64}
ODD: list[tuple[str, object, dict[str, object] | None]] = [
    ("no name", entry(filename=None), None),
    ("not a file name", entry(filename="../../abc-1.0.tar.gz"), None),
    ("another project's", entry("abcd-1.0.tar.gz"), None),
    ("not an archive", entry("abc-1.0.txt"), None),
    ("no URL", entry(url=None), None),
    ("a URL with another scheme", entry(url="file:///etc/passwd"), None),
    ("not a URL", entry(url="https://[/abc-1.0.tar.gz"), None),
    ("not an object", ["abc-1.0.tar.gz"], None),
    ("a second file of that name", {**GOOD, "hashes": {}}, None),
    ("no hashes", entry(hashes=None), {"hashes": {}}),
    ("hashes that are null", entry(hashes={"sha256": None, "md5": ""}), {"hashes": {}}),
    ("an unknown hash", entry(hashes={"sha256": "1" * 64, "sha3_0": "0" * 64}), {"hashes": {"sha256": "1" * 64}}),
    ("a hash in capitals", entry(hashes={"SHA256 ": " " + "A" * 64}), {"hashes": {"sha256": "a" * 64}}),
    ("a hash that is too short", entry(hashes={"sha256": "12"}), None),
    ("a hash that is not hexadecimal", entry(hashes={"md5": "x" * 32}), None),
    ("a hash that is a number", entry(hashes={"sha256": "0" * 64, "md5": 5}), None),
    ("hashes that are text", entry(hashes="sha256=" + "0" * 64), None),
    ("a time in another zone", entry(**{"upload-time": "2020-02-02T03:02:02.020202+01:00"}), {"upload-time": UPLOADED}),
    ("a time without a zone", entry(**{"upload-time": "2020-01-01T01:00:00"}), {"upload-time": None}),
    ("an invalid time", entry(**{"upload-time": 5}), {"upload-time": None}),
    ("an invalid size", entry(size=-1), {"size": None}),
    ("a size that is a boolean", entry(size=True), {"size": None}),
    ("an invalid version", entry("abc-next.tar.gz"), {}),
    ("not yanked", entry(yanked=False), {"yanked": None}),
    ("yanked without a reason", entry(yanked=True), {"yanked": True}),
    ("metadata under its old name", entry(**{"dist-info-metadata": METADATA_HASH}), {"core-metadata": METADATA_HASH}),
    ("metadata without a hash", entry(**{"core-metadata": True}), {"core-metadata": True}),
    ("metadata with no hashes", entry(**{"core-metadata": {}}), {"core-metadata": True}),
    ("metadata in capitals", entry(**{"core-metadata": {"SHA256": "1" * 64}}), {"core-metadata": METADATA_HASH}),
    ("metadata with an invalid hash", entry(**{"core-metadata": {"sha256": "12"}}), {"core-metadata": None}),
    ("metadata with another hash", entry(**{"core-metadata": {"md5": "1" * 32}}), {"core-metadata": None}),
    ("no metadata", entry(**{"core-metadata": False}), {"core-metadata": None}),
    ("a specifier on two lines", entry(**{"requires-python": ">3\n"}), {"requires-python": None}),
]  # fmt: skip


@pytest.mark.parametrize(("odd", "shown"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_an_invalid_file_leaves_the_rest_of_the_page(
    mirror: Mirror, upstream: Upstream, odd: object, shown: dict[str, Any] | None
) -> None:
    """The mirror leaves out files that no installer could use, and invalid fields of other files."""
    page = {"meta": {"api-version": "1.9"}, "name": "ABC", "files": [GOOD, odd], "project-status": {"status": "?"}}
    upstream.faults["/simple/abc/"] = Fault(body=json.dumps(page).encode(), headers={"Content-Type": SIMPLE_JSON})

    files = mirror.files("abc")

    assert GOOD["filename"] in files
    assert files[GOOD["filename"]]["hashes"] == GOOD["hashes"]
    if shown is None:
        assert len(files) == 1
    else:
        (other,) = (file for name, file in files.items() if name != GOOD["filename"])
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
def test_links_in_html_resolve_as_in_a_browser(mirror: Mirror, upstream: Upstream, head: str, link: str) -> None:
    """Links are relative to the page's URL or its base; credentials in them are dropped."""
    link = link.format(port=upstream.root.rsplit(":", 1)[1].strip("/"))
    text = f'<html><head>{head}</head><body><a href="../">up</a><a href="{link}">abc</a></body></html>'
    upstream.faults["/simple/abc/"] = Fault(body=text.encode(), headers={"Content-Type": "text/html"})

    (file,) = mirror.files("abc").values()

    assert file["filename"] == "abc-1.0.tar.gz"
    assert file["url"].endswith("_elsewhere/abc-1.0.tar.gz")
    upstream.faults["/elsewhere/abc-1.0.tar.gz"] = Fault(body=b"bytes")
    assert mirror.site.request("GET", mirror.path + file["url"].removeprefix("../..")).content == b"bytes"
    assert "authorization" not in upstream.asked("/elsewhere/abc-1.0.tar.gz")[-1].headers


def test_a_page_is_fetched_once(mirror: Mirror, upstream: Upstream) -> None:
    """The mirror does not ask for a valid page; for an expired one, it sends the ETag."""
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


def test_changes_show_when_the_page_is_fetched_again(mirror: Mirror, upstream: Upstream) -> None:
    """A page stays the same until it expires or is refreshed; then it shows new files and no removed ones."""
    upstream.add(SDIST)
    mirror.set(mirror_cache_expiry=1800)
    assert [*mirror.files("abc-def")] == [SDIST.filename]
    upstream.add(WHEEL)
    upstream.remove(SDIST.filename)
    assert [*mirror.files("abc-def")] == [SDIST.filename]

    mirror.refresh("abc-def")

    assert [*mirror.files("abc-def")] == [WHEEL.filename]
    assert "if-none-match" not in upstream.asked("/simple/abc-def/")[-1].headers


def test_a_page_without_expiry_is_valid_until_a_refresh(mirror: Mirror, upstream: Upstream) -> None:
    """With an expiry of -1, the mirror fetches a page again only after a refresh."""
    upstream.add(WHEEL)
    mirror.set(mirror_cache_expiry=-1)
    for _ in range(2):
        mirror.files("abc-def")
    assert upstream.count() == 1

    mirror.refresh("abc-def")

    mirror.files("abc-def")
    assert upstream.count() == 2


@pytest.mark.parametrize("fault", [Fault(), Fault(status=404)], ids=["exists", "does not exist"])
def test_many_requests_at_once_cause_one_request_to_the_upstream(
    mirror: Mirror, upstream: Upstream, fault: Fault
) -> None:
    """A worker sends one request, however many threads wait for the answer, even if the answer expires at once."""
    upstream.add(WHEEL)
    gate = Event()
    upstream.faults["/simple/abc-def/"] = replace(fault, gate=gate)
    index = Index("root", mirror.path[6:], "mirror", {"mirror_url": upstream.url, "mirror_cache_expiry": 0})
    source = mirror.site.application.packages.sources.of(index)
    assert isinstance(source, MirrorPackages)

    waiting = Barrier(11)

    def ask() -> bool:
        waiting.wait(60)
        return source.project(index, "abc-def") is not None

    with ThreadPoolExecutor(10) as threads:
        answers = [threads.submit(ask) for _ in range(10)]
        waiting.wait(60)
        upstream.wait_for("/simple/abc-def/")
        # A thread that comes after the answer sends a request of its own, so all must be waiting before the gate opens.
        locks = source._cache._locks
        for _ in range(1000):
            if sum(len(users) for _, users in locks._locks.values()) == 10:
                break
            Event().wait(0.01)
        gate.set()

        assert {answer.result() for answer in answers} == {not fault.status}

    assert upstream.count("/simple/abc-def/") == 1


def test_an_absent_project_is_remembered(mirror: Mirror, upstream: Upstream) -> None:
    """A project that the upstream does not have is 404 for a minute, without another request, or until a refresh."""
    mirror.set(mirror_cache_expiry=1800)
    assert [mirror.page("abc-def").status for _ in range(3)] == [404] * 3
    assert mirror.site.request("GET", f"{mirror.path}/abc-def", headers={"Accept": "application/json"}).status == 404
    assert upstream.count("/simple/abc-def/") == 1
    upstream.add(WHEEL)

    mirror.refresh("abc-def")

    assert mirror.page("abc-def").status == 200


@pytest.mark.parametrize("status", [404, 410])
def test_a_removed_project_is_404(mirror: Mirror, upstream: Upstream, status: int) -> None:
    """A project that the upstream removes is no longer listed; downloaded files still have their addresses."""
    upstream.add(WHEEL)
    address = mirror.address(WHEEL)
    assert mirror.site.request("GET", address).content == WHEEL.content
    upstream.faults["/simple/abc-def/"] = Fault(status=status)

    assert mirror.page("abc-def").status == 404
    assert mirror.site.request("GET", address).content == WHEEL.content

    upstream.faults.clear()
    assert mirror.page("abc-def").status == 200


@pytest.mark.parametrize(("ignored", "shown"), [(False, SDIST.filename), (True, WHEEL.filename)])
def test_an_outdated_page_is_ignored(mirror: Mirror, upstream: Upstream, ignored: bool, shown: str) -> None:
    """A page with a lower serial than the stored one is ignored, unless ``mirror_ignore_serial_header`` is set."""
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


def test_a_new_upstream_starts_without_pages(mirror: Mirror, upstream: Upstream) -> None:
    """A mirror with a new ``mirror_url`` does not serve pages of the old upstream."""
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
def test_the_list_of_projects_is_fetched_separately(
    mirror: Mirror, upstream: Upstream, form: Literal["json", "html"]
) -> None:
    """A project's page does not need the list; the list is sorted, normalised, and fetched once until it expires."""
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


@pytest.mark.slow
def test_a_long_list_is_parsed_in_chunks(mirror: Mirror, upstream: Upstream) -> None:
    """A list of any length is parsed to its end; unknown keys and invalid names are ignored."""
    names = [f"project-{number}" for number in range(60_000)]
    entries = [{"_last-serial": 5, "name": name} for name in [*names, "../x", "Project_7"]]
    body = json.dumps({"projects": entries, "meta": {"api-version": "1.1", "tracks": []}}).encode()
    upstream.faults["/simple/"] = Fault(body=body, headers={"Content-Type": SIMPLE_JSON})

    assert mirror.names() == sorted(names)


def test_without_a_list_the_index_lists_requested_projects(mirror: Mirror, upstream: Upstream) -> None:
    """With ``mirror_no_project_list``, the mirror lists the existing projects that clients have asked for."""
    upstream.add(WHEEL)
    mirror.set(mirror_no_project_list=True)
    assert mirror.names() == []

    for name in ("abc-def", "nope"):
        mirror.page(name)

    assert mirror.names() == ["abc-def"]
    assert upstream.count("/simple/") == 0


def test_a_mirror_without_an_upstream_is_empty(shared: Site, fresh: str) -> None:
    """A mirror without ``mirror_url`` has no projects, and no request fails."""
    mirror = Mirror(shared, f"/root/{fresh}")

    assert mirror.names() == []
    assert mirror.page("abc-def").status == 404
    assert shared.request("GET", f"{mirror.path}/+f/abc/0123456789abc/abc-1.0.tar.gz").status == 404


def test_pages_survive_a_restart(serve: Serve, upstream: Upstream) -> None:
    """Pages from before a restart are served after it, even while the upstream is down."""
    upstream.add(WHEEL)
    mirror = Mirror(serve(), "/root/up", mirror_url=upstream.url, mirror_cache_expiry=0)
    before = mirror.page("abc-def").json
    mirror.names()
    upstream.stop()

    mirror.site = serve()

    assert mirror.page("abc-def").json == before
    assert mirror.names() == ["abc-def"]


def test_a_deleted_index_leaves_nothing(mirror: Mirror, upstream: Upstream) -> None:
    """A new index of the same name has no pages or files of the deleted one."""
    upstream.add(WHEEL)
    address = mirror.address(WHEEL)
    assert mirror.site.request("GET", address).status == 200
    assert mirror.site.request("DELETE", mirror.path, auth=ROOT).status == 201
    upstream.stop()

    again = Mirror(mirror.site, mirror.path, mirror_url=upstream.url)

    assert again.page("abc-def").status == 502
    assert again.site.request("GET", address).status == 502


@pytest.mark.parametrize(("expiry", "requests"), [(1800, 1), (-1, 0)])
@pytest.mark.parametrize("name", ["abc", ""])
@pytest.mark.parametrize("ahead", [3600, 400 * 86400])
def test_an_answer_from_the_future_counts_as_old(
    mirror: Mirror,
    upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    expiry: int,
    requests: int,
    ahead: int,
) -> None:
    """An answer from a time when the clock was ahead is fetched again once the clock is right, unless none expires."""
    real, path = time.time, f"{name}/" if name else ""
    upstream.add(distributions.wheel("abc", "1.0"))
    mirror.set(mirror_cache_expiry=expiry)
    monkeypatch.setattr(time, "time", lambda: real() + ahead)
    first = [mirror.page(name).status for _ in range(2)]
    before = upstream.count(f"/simple/{path}")
    monkeypatch.setattr(time, "time", real)

    again = [mirror.page(name).status for _ in range(3)]

    assert upstream.count(f"/simple/{path}") == before + requests
    assert {*first, *again} == {200}


def test_an_answer_from_the_next_minute_is_new(
    mirror: Mirror, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that was 50 s ahead causes no request."""
    real = time.time
    upstream.add(distributions.wheel("abc", "1.0"))
    mirror.set(mirror_cache_expiry=1800)
    monkeypatch.setattr(time, "time", lambda: real() + 50)
    mirror.page("abc")
    before = upstream.count("/simple/abc/")
    monkeypatch.setattr(time, "time", real)

    mirror.page("abc")

    assert upstream.count("/simple/abc/") == before
