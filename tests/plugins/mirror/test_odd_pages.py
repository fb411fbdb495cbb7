"""Pages that are not quite those of a simple index: vague media types, and pages without links."""

from __future__ import annotations

from typing import Literal

import pytest
from tests.helpers import distributions
from tests.helpers.simple_pages import SIMPLE_JSON
from tests.helpers.upstream import Fault, Upstream
from tests.plugins.mirror.conftest import Mirror

WHEEL = distributions.wheel("abc", "1.0")
PAGE = "/simple/abc/"
HTML = "text/html; charset=utf-8"


@pytest.mark.parametrize("form", ["json", "html"])
@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "text/plain; charset=utf-8",
        "binary/octet-stream",
        "application/octet-stream",
        "application/xml",
    ],
)
def test_a_media_type_that_says_nothing(
    mirror: Mirror, upstream: Upstream, form: Literal["json", "html"], media_type: str
) -> None:
    """The content of a page or list tells whether it is HTML or JSON if the media type does not."""
    upstream.form = form
    upstream.add(WHEEL)
    upstream.faults["*"] = Fault(headers={"Content-Type": media_type})

    assert [*mirror.files("abc")] == [WHEEL.filename]
    assert mirror.names() == ["abc"]


@pytest.mark.parametrize("media_type", ["application/xhtml+xml", ""])
def test_xhtml(mirror: Mirror, upstream: Upstream, media_type: str) -> None:
    """XHTML is HTML."""
    text = f'\n<?xml version="1.0"?>\n<html><body><a href="../../files/{WHEEL.filename}">x</a><br/></body></html>'
    upstream.faults[PAGE] = Fault(body=b"\xef\xbb\xbf" + text.encode(), headers={"Content-Type": media_type})

    assert [*mirror.files("abc")] == [WHEEL.filename]


def test_a_url_without_simple_of_an_index_of_devpi(
    mirror: Mirror, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    """Such an index lists its projects, but has no pages; the mirror finds them below ``+simple/`` and says so once."""
    upstream.add(WHEEL)
    upstream.list_names("xyz")
    media_type, page = upstream.content(PAGE, SIMPLE_JSON) or ("", b"")
    devpi = {"X-Devpi-Api-Version": "2"}
    absent = Fault(status=404, headers=devpi)
    upstream.faults |= dict.fromkeys([PAGE, "/simple/xyz/", "/simple/+simple/xyz/"], absent)
    body = page.replace(b"../../files", b"../../../files")
    upstream.faults["/simple/+simple/abc/"] = Fault(body=body, headers={"Content-Type": media_type, **devpi})

    assert mirror.names() == ["abc", "xyz"]
    assert [mirror.page("xyz").status, [*mirror.files("abc")], [*mirror.files("abc")]] == [404, *[[WHEEL.filename]] * 2]
    assert mirror.get(WHEEL).content == WHEEL.content

    said = [record.getMessage() for record in caplog.records if "+simple/" in record.getMessage()]
    assert len(said) == 1
    assert f"'devpi index {mirror.path[1:]} mirror_url={upstream.url}+simple/'" in said[0]


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_absent_project_of_a_server_like_devpi(mirror: Mirror, upstream: Upstream, status: int) -> None:
    """A proxy may serve such an index at another address; a project that is absent there is absent."""
    upstream.faults[PAGE] = Fault(status=404, headers={"X-Devpi-Api-Version": "2"})
    upstream.faults["/simple/+simple/abc/"] = Fault(status=status)

    assert mirror.page("abc").status == 404


EMPTY_PAGES = {
    "titles": "<html><head><title>Links for {name}</title></head><body><h1>Links for {name}</h1></body></html>",
    "another meta": '<html lang="en"><title>Links for {name}</title><meta name="api-version" value="2"/></html>',
    "no text": "<!DOCTYPE html>\n<html>\n  <body>\n  </body>\n</html>\n",
    "the name": "<html><head><title>{name}</title><style>a {{}}</style></head><body></body></html>",
    "an index": "<html><title>Simple index</title></html>",
    "a folder": '<html><h1>Index of {path}</h1><hr><pre><a href="../">../</a></pre><hr></html>',
    "a folder with a link to the top": '<title>Directory listing for {path}</title><a href="/">Home</a>',
}


@pytest.mark.parametrize("text", EMPTY_PAGES.values(), ids=EMPTY_PAGES)
def test_a_page_without_links_says_that_there_is_nothing(mirror: Mirror, upstream: Upstream, text: str) -> None:
    """A project whose page has no links does not exist, or no longer; a list without links is empty."""
    upstream.add(WHEEL)
    assert [*mirror.files("abc")] == [WHEEL.filename]
    upstream.faults[PAGE] = upstream.faults["/simple/xyz/"] = Fault(
        body=text.format(name="Abc", path=PAGE).encode(), headers={"Content-Type": HTML}
    )
    upstream.faults["/simple/"] = Fault(
        body=text.format(name="simple", path="/simple/").encode(), headers={"Content-Type": HTML}
    )

    assert mirror.page("abc").status == 404
    assert mirror.names() == []
