"""The search box in a real browser: suggestions while somebody types, by keys alone, and without a script."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.helpers.chromium import PROGRAM, Chromium
from tests.helpers.distributions import wheel
from tests.helpers.search_pages import BROWSER
from tests.helpers.upload_forms import encode, file_fields

from wheelgate.testing.server_process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium")]

NAMES = ("weather", "weather-station", "clock")
LINKS = "[...document.querySelectorAll('#found a')].map(link => link.getAttribute('href'))"
BUSY = "document.getElementById('found').getAttribute('aria-busy')"
FOCUS = "document.activeElement.id || document.activeElement.getAttribute('href')"
WAIT_SECONDS = 20
"""Seconds within which the browser must show the next page."""
HELD_FETCH = """
    window.held = [];
    window.fetch = (url) => new Promise((resolve, reject) => window.held.push({url, resolve, reject}));
"""
"""Lets a test decide when, and in which order, the answers come."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Return a running server with projects that the search finds."""
    with ServerProcess(tmp_path_factory.mktemp("box") / "server", "--no-root-pypi") as running:
        root = running.login("root", "")
        running.request("PUT", "/root/dev", {}, auth=root)
        for name in NAMES:
            body, headers = encode(file_fields(wheel(name, "1.0")))
            assert running.request("POST", "/root/dev/", body, auth=root, headers=headers).status == 200
        yield running


@pytest.fixture
def tab(server: ServerProcess, tmp_path: Path) -> Iterator[Chromium]:
    """Return a browser that shows the overview, once all projects are found."""
    with Chromium(tmp_path / "profile") as chromium:
        chromium.open(server.url)
        found = "fetch('/+x/web/suggestions?q=made').then(answer => answer.text())"
        while chromium.evaluate(found).count("<li>") < len(NAMES):
            pass
        yield chromium


def press(tab: Chromium, key: str) -> None:
    """Press a key."""
    codes = {"ArrowDown": 40, "ArrowUp": 38, "Escape": 27, "Enter": 13, "/": 191}
    text = {"Enter": "\r", "/": "/"}.get(key, "")
    for kind in ("keyDown", "keyUp"):
        more = {"text": text} if text and kind == "keyDown" else {}
        tab.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=codes[key], **more)


def wait_for_page(tab: Chromium, script: str) -> None:
    """Wait until an expression is true on the next page; a browser that leaves a page evaluates nothing."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with suppress(RuntimeError):
            if tab.evaluate(script):
                return
    raise AssertionError(f"never true: {script}")


def test_the_keyboard_is_enough(tab: Chromium, server: ServerProcess) -> None:
    """A slash focuses the box, typing suggests, arrows walk through the links, Escape closes, Enter leads on."""
    press(tab, "/")
    assert (tab.evaluate(FOCUS), tab.evaluate("document.getElementById('q').value")) == ("q", "")
    tab.type("weath")
    assert tab.wait_for(f"{LINKS}.length == 2 && {BUSY} == 'false'")
    assert tab.evaluate(LINKS) == ["/root/dev/weather", "/root/dev/weather-station"]

    walked = []
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"):
        press(tab, key)
        walked.append(tab.evaluate(FOCUS))
    assert walked == ["/root/dev/weather", "/root/dev/weather-station", "q", "/root/dev/weather-station"]
    press(tab, "Escape")
    assert (tab.evaluate(LINKS), tab.evaluate(FOCUS)) == ([], "q")

    press(tab, "Enter")
    wait_for_page(tab, "location.search == '?q=weath' && document.querySelector('main ol') !== null")
    assert tab.evaluate("document.getElementById('q').value") == "weath"
    assert {url for url in tab.requested if not url.startswith(("data:", server.url))} == set()


def test_an_older_answer_replaces_no_newer_one(tab: Chromium) -> None:
    """The list is busy until the answer for the latest text is there; answers for earlier texts change nothing."""
    tab.evaluate(HELD_FETCH)
    tab.evaluate("document.getElementById('q').focus()")
    tab.type("we")
    assert tab.evaluate(BUSY) == "true"
    assert tab.wait_for("held.length == 1")
    tab.type("a")
    assert tab.wait_for("held.length == 2")
    assert tab.evaluate("held.map(each => each.url.split('?')[1])") == ["q=we", "q=wea"]

    tab.evaluate("held[1].resolve(new Response('<ul><li><a href=\"/new\">new</a></li></ul>'))")
    assert tab.wait_for(f"{LINKS}[0] == '/new' && {BUSY} == 'false'")
    tab.evaluate("held[0].resolve(new Response('<ul><li><a href=\"/old\">old</a></li></ul>'))")
    assert tab.evaluate(f"new Promise(done => setTimeout(() => done({LINKS}), 50))") == ["/new"]


@pytest.mark.parametrize(
    "failure", ["held[0].reject(new TypeError('lost'))", "held[0].resolve(new Response('x', {status: 500}))"]
)
def test_a_failure_leaves_the_list_empty(tab: Chromium, failure: str) -> None:
    """If the server does not answer, or refuses, nothing is suggested and nothing is busy."""
    tab.evaluate(HELD_FETCH)
    tab.evaluate("document.getElementById('q').focus()")
    tab.type("we")
    assert tab.wait_for("held.length == 1")
    tab.evaluate(failure)

    assert tab.wait_for(f"{BUSY} == 'false' && document.getElementById('found').innerHTML == ''")


def test_nothing_found_is_said(tab: Chromium) -> None:
    """A text that finds nothing says so in the list, and an empty box has no list."""
    tab.evaluate("document.getElementById('q').focus()")
    tab.type("nowhere")
    assert tab.wait_for("document.getElementById('found').textContent.trim() == 'No project found'")
    tab.evaluate(
        "(found => { found.value = ''; found.dispatchEvent(new Event('input')) })(document.getElementById('q'))"
    )
    assert tab.evaluate("document.getElementById('found').innerHTML") == ""


def test_the_box_needs_no_script(server: ServerProcess) -> None:
    """Without a script, the form leads to the page with the matches."""
    page = server.request("GET", "/", headers=BROWSER).content.decode()

    assert '<form class="search" role="search" action="/+x/web/search">' in page
    assert '<label class="hide" for="q">Search projects</label>' in page
    assert "<button>Search</button>" in page
