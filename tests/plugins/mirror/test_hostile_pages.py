"""Pages that are made to cost more than they should: the mirror refuses them, or reads them in time and memory."""

from __future__ import annotations

from typing import Literal

import pytest
from tests.helpers import distributions
from tests.helpers.simple_pages import SIMPLE_JSON
from tests.helpers.sites import Serve
from tests.helpers.upstream import Fault, Upstream
from tests.plugins.mirror.conftest import Mirror

from wheelgate.testing.site import Site
from wheelgate_mirror.page_parsing import MAX_JSON_VALUES, MAX_PAGE_FILES
from wheelgate_mirror.project_list import MAX_LISTED_PROJECTS, NAMES_AT_ONCE

WHEEL = distributions.wheel("abc", "1.0")
PAGE = "/simple/abc/"
HTML = "text/html; charset=utf-8"


@pytest.fixture(scope="module")
def server(serve_shared: Serve) -> Site:
    """Return one server for all tests: nothing here depends on the database."""
    return serve_shared()


@pytest.fixture
def mirror(server: Site, fresh: str, upstream: Upstream) -> Mirror:
    """Return a new mirror that asks its upstream at every request."""
    mirror = Mirror(server, f"/root/{fresh}", mirror_url=upstream.url, mirror_cache_expiry=0)
    mirror.refresh("any")  # ends a pause of an earlier upstream with the same port
    return mirror


HOSTILE_UNITS = [
    "<", "&", "<!--", "<![", "<!", "<?", "</", "[", "<a>", "<a ", "<a href=//[>", '<a href="', """<a href='x" """,
    "<title>", "<p></q>", "&#9", "<base href=x>", "<meta name=a>", "=",
]  # fmt: skip
SLOW_UNITS = {"<a>", "<a ", "<a href=//[>", "<p></q>", "<base href=x>", "<meta name=a>"}
"""Units that are parsed to the end of the page, which takes ten times as long as to refuse it."""
HOSTILE_PAGE_CHARS = 1 << 18
"""Long enough to take minutes where the time grows with the square of the length."""


@pytest.mark.parametrize(
    "charset", ["utf-8", "punycode", "idna", "rot13", "zlib", "unicode_escape", "hex", "undefined"]
)
def test_odd_charsets_are_read_as_utf_8(mirror: Mirror, upstream: Upstream, charset: str) -> None:
    """A codec of Python that is no charset of pages is not used, whether the header names it or the page."""
    upstream.add(WHEEL)
    upstream.form = "html"
    _, body = upstream.content(PAGE, HTML) or ("", b"")
    declared = f'<meta charset="{charset}">'.encode() + body
    for page, header in ((body, f"text/html; charset={charset}"), (declared, "text/html")):
        upstream.faults[PAGE] = Fault(body=page, headers={"Content-Type": header})

        assert [*mirror.files("abc")] == [WHEEL.filename]


@pytest.mark.parametrize(
    "unit", [pytest.param(unit, marks=[pytest.mark.slow] if unit in SLOW_UNITS else []) for unit in HOSTILE_UNITS]
)
def test_pages_cost_no_more_than_their_size_allows(mirror: Mirror, upstream: Upstream, unit: str) -> None:
    """A page or list that repeats the beginning of something is refused; it would occupy a thread for minutes."""
    body = (unit * (HOSTILE_PAGE_CHARS // len(unit))).encode()
    upstream.faults[PAGE] = upstream.faults["/simple/"] = Fault(body=body, headers={"Content-Type": HTML})

    answers = [mirror.page("abc"), mirror.page()]

    assert [(answer.status, "sends something else" in answer.message) for answer in answers] == [(502, True)] * 2


TOO_MANY = {
    "values": ('{"files": [', "{},", "{}]}"),
    "lists": ('{"files": [', "[],", "[]]}"),
    "versions": ('{"files": [], "versions": [', '"",', '""]}'),
    "other keys": ('{"x": [', "1,", '1], "files": []}'),
}


@pytest.mark.parametrize(("begin", "unit", "end"), TOO_MANY.values(), ids=TOO_MANY)
def test_compressed_json_cannot_fill_the_memory(
    mirror: Mirror, upstream: Upstream, begin: str, unit: str, end: str
) -> None:
    """A page of many tiny values is refused before it is parsed: each takes some hundred bytes of memory."""
    upstream.gzip = True
    upstream.faults[PAGE] = Fault(
        body=f"{begin}{unit * MAX_JSON_VALUES}{end}".encode(), headers={"Content-Type": SIMPLE_JSON}
    )

    answer = mirror.page("abc")

    assert (answer.status, f"more than {MAX_JSON_VALUES} values" in answer.message) == (502, True)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["html", "json"])
def test_a_page_with_too_many_files(mirror: Mirror, upstream: Upstream, form: str) -> None:
    """A page with more files than any project has is refused."""
    entries = range(MAX_PAGE_FILES + 1)
    if form == "html":
        body, media_type = "".join(f"<a href=abc-{n}.zip>" for n in entries), HTML
    else:
        files = ",".join(f'{{"filename":"abc-{n}.zip","url":"x"}}' for n in entries)
        body, media_type = f'{{"files":[{files}]}}', SIMPLE_JSON
    upstream.faults[PAGE] = Fault(body=body.encode(), headers={"Content-Type": media_type})

    answer = mirror.page("abc")

    assert (answer.status, f"more than {MAX_PAGE_FILES} files" in answer.message) == (502, True)


@pytest.mark.slow
@pytest.mark.parametrize("entry", ['{"name":"aa"},', "1,"], ids=ascii)
def test_a_list_with_too_many_projects(mirror: Mirror, upstream: Upstream, entry: str) -> None:
    """A list with more names than any upstream has, or without names, is refused."""
    upstream.gzip = True
    body = '{"projects":[' + entry * (MAX_LISTED_PROJECTS + NAMES_AT_ONCE) + entry.rstrip(",") + "]}"
    upstream.faults["/simple/"] = Fault(body=body.encode(), headers={"Content-Type": SIMPLE_JSON})

    assert mirror.page().status == 502


@pytest.mark.parametrize("reason", ["a\nb", "x" * 3000], ids=["control character", "long"])
@pytest.mark.parametrize("form", ["html", "json"])
def test_a_reason_that_cannot_be_shown_still_yanks(
    mirror: Mirror, upstream: Upstream, reason: str, form: Literal["html", "json"]
) -> None:
    """A file is yanked whatever its reason contains."""
    upstream.form = form
    upstream.add(WHEEL, yanked=reason)

    assert mirror.files("abc")[WHEEL.filename]["yanked"] is True
