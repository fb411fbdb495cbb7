"""Simple pages: content, format, compression, caching and redirects."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.core.packages.conftest import JSON, ROOT, Shelved
from tests.helpers.memory_indices import file, project

from wheelgate.packages import File
from wheelgate.testing.site import Response

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HTML = "application/vnd.pypi.simple.v1+html"
PAGE = "/root/dev/+simple/abc/"
LIST = "/root/dev/+simple/"
HOSTILE = '"><script>alert(1)</script>&'
FULL = File(
    name="abc-1.0+local-py3-none-any.whl",
    version="1.0+local",
    path="+f/0ab/c000000000000/abc-1.0+local-py3-none-any.whl",
    hashes={"md5": "11", "sha256": "0abc" + 60 * "0"},
    size=1234,
    upload_time="2026-01-31T12:00:00.123456Z",
    requires_python=">=3.8,<4",
    yanked="broken & <old>",
    core_metadata="fe" * 32,
    provenance="+f/0ab/c000000000000/abc-1.0+local-py3-none-any.whl.provenance",
)
BARE = File(name="abc-2 x.zip", version="2", path="+e/https_up.example_a/abc-2 x.zip", yanked="", core_metadata="")


@pytest.fixture
def dev(shelved: Shelved) -> Shelved:
    """Return a server whose index ``root/dev`` has the project ``abc``."""
    return filled(shelved)


@pytest.fixture(scope="module")
def read_only(lasting: Shelved) -> Shelved:
    """Return the same for tests that change nothing."""
    return filled(lasting)


def filled(shelved: Shelved) -> Shelved:
    """Add the project."""
    shelved.near.put(shelved.index("dev"), "abc", project("abc", FULL, BARE))
    return shelved


def test_a_page_in_json(read_only: Shelved) -> None:
    """The page has the keys of PEP 691, 592, 700, 714, 740 and 792; keys with unknown values are left out.

    Only the provenance has an absolute URL, as PEP 740 requires.
    """
    assert read_only.get(PAGE).json == {
        "meta": {"api-version": "1.0"},
        "name": "abc",
        "project-status": {"status": "active"},
        "versions": ["1.0+local", "2"],
        "files": [
            {
                "filename": "abc-1.0+local-py3-none-any.whl",
                "url": "../../+f/0ab/c000000000000/abc-1.0+local-py3-none-any.whl",
                "hashes": {"md5": "11", "sha256": "0abc" + 60 * "0"},
                "size": 1234,
                "upload-time": "2026-01-31T12:00:00.123456Z",
                "requires-python": ">=3.8,<4",
                "yanked": "broken & <old>",
                "core-metadata": {"sha256": "fe" * 32},
                "provenance": "http://localhost/root/dev/+f/0ab/c000000000000/abc-1.0+local-py3-none-any.whl.provenance",
            },
            {
                "filename": "abc-2 x.zip",
                "url": "../../+e/https_up.example_a/abc-2%20x.zip",
                "hashes": {},
                "yanked": True,
                "core-metadata": True,
            },
        ],
    }


def test_a_page_in_html(read_only: Shelved) -> None:
    """The page has the attributes of PEP 503, 592, 629, 714, 740 and 792, escaped."""
    assert read_only.get(PAGE, "text/html").content.decode() == (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="pypi:repository-version" content="1.4">\n'
        '<meta name="pypi:project-status" content="active">\n'
        "<title>Links for abc</title>\n</head>\n<body>\n<h1>Links for abc</h1>\n"
        '<a href="../../+f/0ab/c000000000000/abc-1.0+local-py3-none-any.whl#sha256=0abc' + 60 * "0" + '"'
        ' data-requires-python="&gt;=3.8,&lt;4" data-yanked="broken &amp; &lt;old&gt;"'
        f' data-core-metadata="sha256={"fe" * 32}" data-dist-info-metadata="sha256={"fe" * 32}"'
        ' data-provenance="http://localhost/root/dev/+f/0ab/c000000000000/abc-1.0+local-py3-none-any.whl.provenance">'
        "abc-1.0+local-py3-none-any.whl</a><br>\n"
        '<a href="../../+e/https_up.example_a/abc-2%20x.zip" data-yanked=""'
        ' data-core-metadata="true" data-dist-info-metadata="true">abc-2 x.zip</a><br>\n'
        "</body>\n</html>\n"
    )


def test_each_host_has_its_own_page(read_only: Shelved) -> None:
    """A page that contains the server's URL is cached separately for each Host."""
    for host in ("one.example", "two.example", "one.example"):
        first = read_only.site.request("GET", PAGE, headers={"Host": host, "Accept": JSON}).json["files"][0]

        assert first["provenance"] == f"http://{host}/root/dev/{FULL.provenance}"
        assert first["url"] == f"../../{FULL.path}"


def test_the_list(dev: Shelved) -> None:
    """The list names each project of the index and its bases once, in both formats."""
    dev.near.put(dev.index("base"), "def", project("def"))
    dev.near.put("root/base", "abc", project("abc"))
    dev.site.request("PATCH", "/root/dev", {"bases": "root/base"}, auth=ROOT)

    as_json, as_html = dev.get(LIST).json, dev.get(LIST, "text/html").content.decode()

    assert as_json == {"meta": {"api-version": "1.4"}, "projects": [{"name": "abc"}, {"name": "def"}]}
    assert '<meta name="pypi:repository-version" content="1.4">' in as_html
    assert '<a href="abc/">abc</a><br>\n<a href="def/">def</a><br>\n' in as_html


@pytest.mark.parametrize("hostile", ["name", "path", "requires_python", "yanked", "core_metadata", "provenance"])
def test_nothing_about_a_file_becomes_markup(dev: Shelved, hostile: str) -> None:
    """Everything that an upstream sends stays text."""
    given: dict[str, Any] = {"name": "x", "version": "", "path": "+f/x", "requires_python": None, hostile: HOSTILE}
    dev.near.put("root/dev", "abc", project("abc", File(**given), status="archived", status_reason=HOSTILE))
    dev.near.put("root/dev", HOSTILE, project(HOSTILE))

    for page in (PAGE, LIST):
        assert "<script" not in dev.get(page, "text/html").content.decode()


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("text/*", "text/html; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
        (JSON, JSON),
        ("application/vnd.pypi.simple.latest+json", JSON),
        (HTML, HTML),
        ("application/vnd.pypi.simple.latest+html", HTML),
        ("application/*", JSON),
        ("application/json", "application/json"),
        (JSON.upper(), JSON),
        (f"{JSON}, {HTML};q=0.2, text/html;q=0.01", JSON),
        (f"{JSON};q=0.1, {HTML};q=0.2", HTML),
        (f"{JSON};q=0, {HTML};q=0, text/html;q=0.5", "text/html; charset=utf-8"),
        (f"text/html;q=0, */*, {HTML};q=0.9", JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        (f"application/vnd.pypi.simple.v2+json, {JSON};q=0.5", JSON),
        (f"{JSON};q=nonsense, text/html;q=0.1", "text/html; charset=utf-8"),
        (f"{JSON};profile=x", JSON),
        (f"*/*, {JSON}", JSON),
        (f"text/*, {HTML}, */*", HTML),
        ("application/vnd.pypi.simple.v2+json", None),
        ("image/png", None),
        ("*/*;q=0", None),
        ("text/html;q=0", None),
    ],
)
@pytest.mark.parametrize("page", [PAGE, LIST])
def test_the_format_that_the_client_prefers(
    read_only: Shelved, page: str, accept: str, content_type: str | None
) -> None:
    """All media types of PEP 691 are negotiated by weight and precision; a 406 lists them."""
    answer = read_only.get(page, accept)

    if content_type is None:
        assert answer.status == 406
        assert JSON in answer.message
    else:
        assert (answer.status, answer.headers["content-type"]) == (200, content_type)
        assert answer.content.startswith(b"{" if content_type.endswith("json") else b"<!DOCTYPE")
        assert answer.headers["vary"] == "Accept, Accept-Encoding"
        assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("accept", ["text/html", HTML])
def test_a_page_runs_nothing(read_only: Shelved, accept: str) -> None:
    """A browser that shows a page runs no script, loads nothing and sends no referrer."""
    answer = read_only.get(PAGE, accept)

    policy = answer.headers["content-security-policy"]
    assert {"default-src 'none'", "frame-ancestors 'none'"} <= {part.strip() for part in policy.split(";")}
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"


DECODED: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "zstd": zstd.decompress, "": bytes}


@pytest.mark.parametrize("accept", [JSON, "text/html"])
@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", ""),
        ("identity", ""),
        ("br", ""),
        ("gzip", "gzip"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0.5, gzip", "gzip"),
        ("GZIP;q=0.001", "gzip"),
        ("*", "zstd"),
        ("*, zstd;q=0", "gzip"),
        ("gzip;q=0", ""),
        ("gzip;q=0.5, identity", ""),
        ("identity;q=0", ""),
    ],
)
def test_codings(read_only: Shelved, accept: str, accepted: str, coding: str) -> None:
    """A page is sent in the coding that the client prefers; each coding has its own entity tag and the same content."""
    plain = read_only.get(PAGE, accept)

    for _ in range(2):
        answer = read_only.get(PAGE, accept, {"Accept-Encoding": accepted})
        assert answer.headers.get("content-encoding", "") == coding
        assert DECODED[coding](answer.content) == plain.content
        assert (answer.headers["etag"] == plain.headers["etag"]) == (not coding)
        assert answer.headers["etag"].startswith('"')


def test_a_short_page_is_not_compressed(shelved: Shelved) -> None:
    """A page that fits into one packet is sent as it is."""
    shelved.near.put(shelved.index("dev"), "abc", project("abc"))

    assert "content-encoding" not in shelved.get(PAGE, headers={"Accept-Encoding": "gzip"}).headers


def test_a_long_page_is_complete(shelved: Shelved) -> None:
    """Pages that are rendered and compressed in threads are complete."""
    names = [f"abc-{number}.tar.gz" for number in range(3000)]
    shelved.near.put(shelved.index("dev"), "abc", project("abc", *names))

    answer = shelved.get(PAGE, headers={"Accept-Encoding": "zstd"})

    assert [each["filename"] for each in json.loads(zstd.decompress(answer.content))["files"]] == names


@pytest.mark.parametrize("page", ["+simple/abc/", "+simple/"])
@pytest.mark.parametrize("accept", [JSON, "text/html"])
@pytest.mark.parametrize("coding", ["", "gzip", "zstd"])
@pytest.mark.parametrize("given", ["{}", "W/{}", '"other", {}', "*"])
def test_an_unchanged_page_is_not_sent_again(
    lasting: Shelved, fresh: str, page: str, accept: str, coding: str, given: str
) -> None:
    """A matching entity tag answers 304 as long as nothing changes, and the new page at once after a change."""
    path = lasting.index(fresh)
    encoded = {"Accept-Encoding": coding}
    lasting.near.put(path, "abc", project("abc", *[f"abc-{number}.tar.gz" for number in range(9)]))
    first = lasting.get(f"/{path}/{page}", accept, encoded)
    condition = encoded | {"If-None-Match": given.format(first.headers["etag"])}

    again = lasting.get(f"/{path}/{page}", accept, condition)
    lasting.near.put(path, "abc", project("abc", "abc-3.tar.gz"))
    lasting.near.put(path, "ghi", project("ghi"))
    changed = lasting.get(f"/{path}/{page}", accept, condition)

    assert (again.status, again.content) == (304, b"")
    same = ("etag", "vary", "cache-control")
    assert [again.headers[name] for name in same] == [first.headers[name] for name in same]
    if given != "*":
        assert changed.status == 200
        assert changed.headers["etag"] != first.headers["etag"]


def test_each_format_has_its_own_tag(read_only: Shelved) -> None:
    """No two formats of a page share an entity tag, not even if only the Content-Type differs."""
    accepts = ["text/html", HTML, JSON, "application/json"]
    tags = {
        read_only.get(PAGE, accept, {"Accept-Encoding": coding}).headers["etag"]
        for accept in accepts
        for coding in DECODED
    }

    assert len(tags) == 12


@pytest.mark.parametrize("page", [PAGE, LIST, "/root/dev/abc", "/root/dev/abc/2", "/root/dev/+why/abc"])
def test_head(read_only: Shelved, page: str) -> None:
    """HEAD answers with the headers of GET and no body."""

    def ask(method: str) -> Response:
        return read_only.site.request(method, page, headers={"Accept": "application/json"})

    def said(answer: Response) -> dict[str, str]:
        return {name: value for name, value in answer.headers.items() if name != "x-request-id"}

    get, head = ask("GET"), ask("HEAD")

    assert (head.status, head.content) == (200, b"")
    assert said(head) == said(get)


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/root/dev/+simple", "+simple/"),
        ("/root/dev/+simple/abc", "abc/"),
        ("/root/dev/+simple/A_b.C", "a-b-c/"),
        ("/root/dev/+simple/A_b.C/", "../a-b-c/"),
        ("/root/dev/+simple/A..C/?x=1&y=%0d%0aEvil:1", "../a-c/?x=1&y=%0d%0aEvil:1"),
        ("/root/dev/A_b.C", "a-b-c"),
        ("/root/dev/A_b.C/?ignore_bases=", "../a-b-c/?ignore_bases="),
        ("/root/dev/A_b.C/1.0+x!1", "../a-b-c/1.0+x%211"),
        ("/root/dev/A_b.C/1.0/", "../../a-b-c/1.0/"),
        ("/root/dev/+why/A_b.C", "a-b-c"),
    ],
)
def test_one_address_for_one_page(read_only: Shelved, path: str, location: str) -> None:
    """Other spellings redirect to the normalised name with a slash, by a relative URL that is right behind a proxy."""
    answer = read_only.get(path, "application/json")

    assert (answer.status, answer.headers["location"]) == (302, location)


PIP, UV = "pip/26.0 {}", "uv/0.9"


@pytest.mark.parametrize(
    ("agent", "accept", "redirected"),
    [
        (PIP, f"{JSON}, {HTML};q=0.1, text/html;q=0.01", True),
        (PIP, "text/html", True),
        (PIP, "*/*", True),
        (UV, f"{JSON}, {HTML};q=0.2, text/html;q=0.01", True),
        ("Python-urllib/3.11 setuptools/70", "*/*", True),
        ("devpi-client/7.3", JSON, True),
        ("Mozilla/5.0", HTML, True),
        (PIP, "application/json", False),
        ("pipx-alike/1", "*/*", False),
        ("twine/6 (pip/1)", "*/*", False),
        ("devpi-client/7.3", "application/json", False),
    ],
)
@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/root/dev", "dev/+simple/"),
        ("/root/dev/", "+simple/"),
        ("/root/dev/abc", "+simple/abc/"),
        ("/root/dev/abc/", "../+simple/abc/"),
    ],
)
def test_installers_find_the_simple_page_without_its_name(
    read_only: Shelved, path: str, location: str, agent: str, accept: str, redirected: bool
) -> None:
    """Installers that request an index or a project are redirected to its simple page; other clients get the JSON."""
    answer = read_only.get(path, accept, {"User-Agent": agent})

    assert answer.headers["vary"].startswith("Accept, User-Agent")
    if redirected:
        assert (answer.status, answer.headers["location"]) == (302, location)
    else:
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize(
    ("options", "headers", "start"),
    [
        ({}, {}, "../../+f/"),
        ({}, {"X-Devpi-Absolute-Urls": "1"}, "http://localhost/root/dev/+f/"),
        ({}, {"X-Devpi-Absolute-Urls": "", "Host": "pypi.example:81"}, "http://pypi.example:81/root/dev/+f/"),
        ({"absolute_urls": True}, {}, "http://localhost/root/dev/+f/"),
        ({"outside_url": "https://ex.example/sub"}, {}, "../../+f/"),
        ({"outside_url": "https://ex.example/sub", "absolute_urls": True}, {}, "https://ex.example/sub/root/dev/+f/"),
    ],
)
def test_absolute_urls(
    build: Callable[..., Shelved], options: dict[str, Any], headers: dict[str, str], start: str
) -> None:
    """URLs are relative, unless the request or the server's settings ask for absolute ones."""
    shelved = build(**options)
    shelved.near.put(shelved.index("dev"), "abc", project("abc", file("abc-1.tar.gz")))

    for _ in range(2):
        assert shelved.get(PAGE, headers=headers).json["files"][0]["url"].startswith(start)


@pytest.mark.parametrize(
    ("own", "base", "files", "status"),
    [
        ("active", "active", ["abc-1.tar.gz", "abc-2.tar.gz"], "active"),
        ("archived", "active", ["abc-1.tar.gz", "abc-2.tar.gz"], "archived"),
        ("deprecated", "archived", ["abc-1.tar.gz", "abc-2.tar.gz"], "deprecated"),
        ("active", "quarantined", ["abc-1.tar.gz"], "active"),
        ("quarantined", "active", [], "quarantined"),
    ],
)
def test_project_status(shelved: Shelved, own: str, base: str, files: list[str], status: str) -> None:
    """The page has the status of the first index that has the project; a quarantined project has no files."""
    shelved.near.put(shelved.index("base"), "abc", project("abc", "abc-2.tar.gz", status=base))
    given = project("abc", "abc-1.tar.gz", status=own, status_reason="a <reason>")
    shelved.near.put(shelved.index("dev", bases=["base"]), "abc", given)

    as_json, as_html = shelved.get(PAGE).json, shelved.get(PAGE, "text/html").content.decode()

    assert [each["filename"] for each in as_json["files"]] == files
    assert as_json["project-status"] == {"status": status, "reason": "a <reason>"}
    assert f'<meta name="pypi:project-status" content="{status}">' in as_html
    assert '<meta name="pypi:project-status-reason" content="a &lt;reason&gt;">' in as_html
    assert as_html.count("<a ") == len(files)


@pytest.mark.parametrize("stale", [True, False])
def test_a_stale_page_says_so(shelved: Shelved, stale: bool) -> None:
    """A page that an upstream could not confirm has a header that says so, and so has its 304."""
    shelved.far.put(shelved.index("dev", "far"), "abc", project("abc", "abc-1.tar.gz", stale=stale))

    page = shelved.get(PAGE)
    again = shelved.get(PAGE, headers={"If-None-Match": page.headers["etag"]})

    assert [answer.headers.get("x-wheelgate-stale") for answer in (page, again)] == [("true" if stale else None)] * 2


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/root/dev/+simple/nope/", 404, "The project nope does not exist."),
        ("/root/nope/+simple/", 404, "The stage root/nope could not be found."),
        ("/nobody/nope/+simple/abc/", 404, "The stage nobody/nope could not be found."),
        ("/root/dev/+simple/-/", 404, "The project - does not exist."),
        ("/root/dev/+simple/..%2f..%2f/", 404, ""),
        ("/root/dev/+simple/%2e%2e/", 404, "The project .. does not exist."),
        ("/root/dev/+simple/a%0d%0ab/", 404, ""),
        ("/root/dev/+simple/%C3%BCber/", 404, "The project \\xfcber does not exist."),
        ("/root/dev/+simple/" + "a" * 201 + "/", 404, ""),
        ("/root/dev/nope", 404, "no project 'nope'"),
        ("/root/dev/abc/9.9", 404, "The version 9.9 of project abc does not exist."),
        ("/root/dev/+nope", 404, "there is nothing at this address"),
        ("/root/dev/+nope/abc", 404, "there is nothing at this address"),
    ],
)
def test_an_unknown_project_is_not_found(read_only: Shelved, path: str, status: int, text: str) -> None:
    """An unknown project answers 404 with a sentence, even if no project can have the name."""
    answer = read_only.get(path, "application/json")

    assert answer.status == status
    assert text in answer.message


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
@pytest.mark.parametrize("page", [PAGE, LIST])
def test_pages_are_only_read(read_only: Shelved, method: str, page: str) -> None:
    """Pages cannot be written."""
    assert read_only.site.request(method, page, auth=ROOT).status == 405
