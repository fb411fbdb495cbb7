"""Blocks: what a plugin adds to the pages of people."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.search_pages import BROWSER
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import upload

from wheelgate import Server, hookimpl
from wheelgate.page_blocks import MAX_BLOCK_ROWS, Block, Row
from wheelgate.providers import RouteRequest
from wheelgate.testing.site import Site

TITLES = re.compile(r'<h2 id="block-\d+"><bdi>([^<]*)</bdi></h2>')


class Blocks:
    """A plugin with whatever blocks a test wants."""

    def __init__(self, make: Callable[[str, str, RouteRequest], Any]) -> None:
        self._make = make

    @hookimpl
    def wheelgate_page_blocks(self, server: Server, place: str, subject: str, request: RouteRequest) -> Iterable[Block]:
        """Return them."""
        made: Iterable[Block] = self._make(place, subject, request)
        return made


def started(serve: Serve, **plugins: object) -> Site:
    """Start a server with a user, an index and a project."""
    site = serve(extra=plugins)
    emilie = site.add_user("emilie")
    site.request("PUT", "/emilie/dev", {}, auth=emilie)
    upload(site, "emilie/dev", wheel("clock", "1.0"), emilie)
    return site


def page(site: Site, path: str, auth: tuple[str, str] | None = None) -> str:
    """Return a page."""
    answer = site.request("GET", path, auth=auth, headers=BROWSER)
    assert answer.status == 200, answer.content
    return answer.content.decode()


PLACES = [
    ("/", "overview", ""),
    ("/emilie", "user", "emilie"),
    ("/emilie/dev", "index", "emilie/dev"),
    ("/emilie/dev/clock", "project", "emilie/dev/clock"),
    ("/emilie/dev/clock/1.0", "version", "emilie/dev/clock/1.0"),
    ("/+x/web/administration", "administration", ""),
]


def test_a_block_is_on_each_kind_of_page(serve: Serve) -> None:
    """Every place shows the blocks for it, which know what the page is about and who reads it."""
    site = started(
        serve,
        seen=Blocks(lambda place, subject, request: [Block(f"{place} {subject} {request.principal.name}")]),
    )
    root = site.login("root", "")

    for path, place, subject in PLACES:
        assert TITLES.findall(page(site, path, root)) == [f"{place} {subject} root"], path


def test_a_block_is_escaped(serve: Serve) -> None:
    """Markup in any text of a block is text, and links lead where rows may lead."""
    evil = "<script>alert(1)</script>"
    rows = [Row(evil, evil, f"/emilie?{evil}"), Row("", "Docs", "https://docs.example/"), Row("", "plain")]
    text = page(started(serve, evil=Blocks(lambda *_: [Block(evil, rows, evil)])), "/emilie/dev/clock")

    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4
    assert '<a href="https://docs.example/" rel="nofollow noopener"><bdi>Docs</bdi></a>' in text


def test_blocks_come_by_rank(serve: Serve) -> None:
    """Blocks of all plugins come in the order of their ranks, then of their titles."""
    site = started(
        serve,
        a=Blocks(lambda *_: [Block("Third"), Block("Fifth", rank=200)]),
        b=Blocks(lambda *_: [Block("First", rank=1), Block("Fourth"), Block("Second", rank=2)]),
    )

    assert TITLES.findall(page(site, "/")) == ["First", "Second", "Fourth", "Third", "Fifth"]


def test_a_block_is_new_at_each_request(serve: Serve) -> None:
    """A page that the server keeps has the blocks of now."""
    numbers = iter(range(100))
    site = started(serve, counting=Blocks(lambda *_: [Block(f"Number {next(numbers)}")]))

    assert [TITLES.findall(page(site, "/emilie/dev/clock")) for _ in range(3)] == [
        ["Number 0"],
        ["Number 1"],
        ["Number 2"],
    ]


def broken(place: str, subject: str, request: RouteRequest) -> Any:
    """Raise."""
    raise ValueError("it broke")


def half_broken(place: str, subject: str, request: RouteRequest) -> Any:
    """Raise after a block."""
    yield Block("Half")
    raise ValueError("it broke")


def slow(place: str, subject: str, request: RouteRequest) -> Any:
    """Take longer than a page waits."""
    time.sleep(3)
    return [Block("Late")]


FAILURES = [
    pytest.param(broken, "ValueError: it broke", id="raises"),
    pytest.param(half_broken, "ValueError: it broke", id="raises in the middle"),
    pytest.param(slow, "took longer than 1 s", id="slow", marks=pytest.mark.slow),
    pytest.param(lambda *_: ["<p>hello</p>"], "returned a str in place of a Block", id="markup"),
    pytest.param(lambda *_: 7, "TypeError", id="no list"),
    pytest.param(lambda *_: [Block("")], "needs a title", id="no title"),
    pytest.param(lambda *_: [Block("T", [Row("", "x")] * (MAX_BLOCK_ROWS + 1))], "at most 100 rows", id="rows"),
    pytest.param(lambda *_: [Block("T", note="x" * 3000)], "at most 2000 characters", id="long"),
    *(
        pytest.param(lambda *_, href=href: [Block("T", [Row("", "x", href)])], "cannot link", id=href)
        for href in (
            "javascript:alert(1)",
            "//evil.example/",
            "/\\evil.example/",
            "data:text/html,x",
            "evil",
            " https://a.example",
        )
    ),
]


@pytest.mark.parametrize(("make", "line"), FAILURES)
def test_a_block_that_fails_is_left_out(
    serve: Serve, caplog: pytest.LogCaptureFixture, make: Callable[..., Any], line: str
) -> None:
    """A block that raises, is slow or not allowed costs a line of the log; the page and other blocks are there."""
    site = started(serve, bad=Blocks(make), good=Blocks(lambda *_: [Block("Good")]))
    with caplog.at_level(logging.ERROR, "wheelgate.pages"):
        text = page(site, "/")

    assert TITLES.findall(text) == ["Good"]
    (logged,) = [record.getMessage() for record in caplog.records if record.name == "wheelgate.pages"]
    assert "plugin 'bad' failed to make its block" in logged
    assert line in logged


def test_there_are_no_other_places(serve: Serve) -> None:
    """A page that asks for blocks at an unknown place learns so at once."""
    asked: list[str] = []

    def ask(place: str, subject: str, request: RouteRequest) -> list[Block]:
        try:
            request.blocks("kitchen")
        except ValueError as error:
            asked.append(str(error))
        return []

    page(started(serve, asking=Blocks(ask)), "/")
    assert asked == [
        "there are no blocks at 'kitchen', only at overview, user, index, project, version, administration"
    ]
