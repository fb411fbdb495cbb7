"""The pages in a real browser: what axe finds, whether they fit, and the session of a person who clicks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.chromium import ANSWER_SECONDS, PROGRAM, Chromium
from tests.helpers.web_people import PASSWORD, furnish

from wheelgate.testing.server_process import ServerProcess
from wheelgate.testing.site import CHEAP_HASHING_SETTINGS

pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")]

AXE = (Path(__file__).parent / "axe-core/axe.min.js").read_text("utf-8")
"""axe-core 4.14.1 as npm has it; its licence is beside it."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PUBLIC_PAGES = [
    "/",
    "/?filter=em",
    "/emilie",
    "/emilie/dev",
    "/sophie/empty",
    "/root/pypi",
    "/emilie/dev/weather-station",
    "/emilie/dev/weather-station/1.0",
    "/emilie/dev/+why/weather-station",
    "/nobody",
    "/emilie/secret",
    "/+x/web/sign-in",
    "/+x/web/create-user",
]
ROOTS_PAGES = [
    "/?done=signed-in",
    "/root",
    "/+x/web/users/emilie/edit",
    "/+x/web/users/root/password",
    "/+x/web/users/emilie/delete",
    "/+x/web/users/emilie/create-index",
    "/+x/web/indices/emilie/dev/edit",
    "/+x/web/indices/emilie/dev/delete",
    "/+x/web/projects/emilie/dev/weather-station/status",
    "/+x/web/versions/emilie/dev/weather-station/1.0/yank",
    "/+x/web/tokens",
    "/+x/web/administration",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Start the server of a company."""
    hashing = [part for key, value in CHEAP_HASHING_SETTINGS.items() for part in (f"--{key}", value)]
    with ServerProcess(tmp_path_factory.mktemp("web") / "server", *hashing) as server:
        furnish(server)
        yield server


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Start a browser, to be signed in and out by the tests."""
    with Chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


class Person:
    """Somebody at a browser."""

    def __init__(self, tab: Chromium, server: ServerProcess, width: int = 1280) -> None:
        self.tab = tab
        self._url = server.url.rstrip("/")
        self._width = width

    def open(self, path: str) -> None:
        """Type an address."""
        self.tab.open(self._url + path, self._width)

    def sign_out_everywhere(self) -> None:
        """Forget all cookies."""
        self.tab.send("Network.clearBrowserCookies")

    def click(self, selector: str, text: str) -> None:
        """Click a link or a button that leads to another page, by its text."""
        self.tab.evaluate("window.before = true")
        elements = f"[...document.querySelectorAll({json.dumps(selector)})]"
        found = f"{elements}.find(each => each.textContent.trim() === {json.dumps(text)})"
        self.tab.evaluate(f"{found}.click()")
        until = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < until:
            with suppress(RuntimeError):  # the page goes away while it is asked
                if self.tab.evaluate("!window.before && document.readyState === 'complete'"):
                    return
        raise AssertionError(f"{text} leads nowhere")

    def fill(self, label: str, text: str) -> None:
        """Type into a field, found by its label."""
        found = f"[...document.querySelectorAll('main label')].find(e => e.textContent.trim() === {json.dumps(label)})"
        self.tab.evaluate(f"{found}.control.focus(); {found}.control.select && {found}.control.select()")
        self.tab.type(text)

    def sign_in(self, name: str, password: str) -> None:
        """Sign in by the form."""
        self.open("/+x/web/sign-in")
        self.fill("User name", name)
        if password:
            self.fill("Password", password)
        self.click("main button", "Sign in")

    def text(self, selector: str = "main") -> str:
        """Return what an element says."""
        return str(self.tab.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))


def problems(tab: Chromium) -> list[str]:
    """Return what axe finds in the page, and whether the page is wider than the window."""
    tab.evaluate(f"{AXE}; 0")
    run = f"axe.run(document, {{runOnly: {json.dumps(RULES)}}})"
    found: Any = tab.evaluate(
        f"{run}.then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' ')))"
    )
    wider = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*found, *([f"{wider} px too wide"] if wider > 0 else [])]


def looked_at(person: Person, server: ServerProcess, paths: list[str]) -> dict[str, list[str]]:
    """Return the problems of pages by address, width and colours."""
    found = {}
    for scheme in ("light", "dark"):
        person.tab.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        for path in paths:
            person.open(path)
            for width in (1280, 390, 320):
                person.tab.resize(width)
                seen = problems(person.tab)
                if seen:
                    found[f"{path} {width} {scheme}"] = seen
    return found


@pytest.mark.timeout(400)  # axe takes seconds for each page, width and colours
def test_everybody_can_use_the_public_pages(server: ServerProcess, tab: Chromium) -> None:
    """Axe finds nothing, and nothing is wider than the window: on a desk and on phones, in light and dark."""
    person = Person(tab, server)
    person.sign_out_everywhere()

    assert looked_at(person, server, PUBLIC_PAGES) == {}


@pytest.mark.timeout(400)  # axe takes seconds for each page, width and colours
def test_everybody_can_use_the_forms(server: ServerProcess, tab: Chromium) -> None:
    """The same for forms, API tokens and the administration."""
    person = Person(tab, server)
    person.sign_in("root", "")

    assert looked_at(person, server, ROOTS_PAGES) == {}


def test_pages_ask_nobody_else(server: ServerProcess, tab: Chromium) -> None:
    """A first visit takes four requests at most, all of them to this server."""
    person = Person(tab, server)
    tab.send("Network.clearBrowserCache")
    tab.requested.clear()

    person.open("/emilie/dev")

    assert len(tab.requested) <= 4
    assert all(url.startswith(server.url) for url in tab.requested)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_session_of_the_documentation(server: ServerProcess, tab: Chromium, width: int, script: bool) -> None:
    """A person makes a user, signs in, makes an index, and deletes everything, with and without JavaScript."""
    person = Person(tab, server, width)
    person.sign_out_everywhere()
    name = f"ada{width}{'x' if script else 'y'}"
    # The test itself needs scripts in the page; those of the server are left out.
    tab.send("Network.setBlockedURLs", urls=[] if script else ["*.js"])

    person.open("/")
    person.click("main a", "Create user")
    person.fill("User name", name)
    person.fill("Password", PASSWORD)
    person.fill("Title", "<b>Engineer</b>")
    person.click("main button", "Create user")
    assert "The user was created." in person.text("[role=status]")
    person.click("header a", "Sign in")
    person.fill("User name", name)
    person.fill("Password", PASSWORD)
    person.click("main button", "Sign in")
    assert "You are signed in." in person.text("[role=status]")
    assert person.text("h1") == name
    person.click("main a", "Create index")
    person.fill("Name", "dev")
    person.click("main button", "Create index")
    assert person.text("h1") == f"{name}/dev"
    person.click("main a", "Delete index")
    person.fill(f"Type the name {name}/dev to confirm", f"{name}/dev")
    person.click("main button", "Delete index")
    person.click("main a", "Delete user")
    person.fill(f"Type the name {name} to confirm", name)
    person.click("main button", "Delete user")
    assert "The user was deleted." in person.text("[role=status]")
    assert "Sign in" in person.text("header")
    tab.send("Network.setBlockedURLs", urls=[])


def test_copying_a_line(server: ServerProcess, tab: Chromium) -> None:
    """A button copies its line, and says so to readers of screens."""
    person = Person(tab, server)
    tab.send("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    person.open("/emilie/dev")
    tab.send("Page.bringToFront")  # only the page in front may use the clipboard

    tab.evaluate("[...document.querySelectorAll('button')].find(e => e.textContent === 'Copy pip').click()")

    assert tab.wait_for("document.querySelector('#said').textContent") == "Copied"
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied == f"pip install --index-url {server.url}emilie/dev/+simple/ PROJECT"


def test_the_first_field_has_the_focus_and_links_come_first_to_skip(server: ServerProcess, tab: Chromium) -> None:
    """Forms begin in their first field; the first stop of the tab key leads to the content."""
    person = Person(tab, server)
    person.sign_out_everywhere()
    person.open("/+x/web/sign-in")
    assert tab.evaluate("document.activeElement.id") == "user"
    person.open("/emilie")

    for kind in ("keyDown", "keyUp"):
        tab.send("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)

    assert tab.evaluate("document.activeElement.textContent") == "Skip to content"
    assert tab.evaluate("document.activeElement.getBoundingClientRect().top") >= 0


def test_what_users_type_runs_nowhere(server: ServerProcess, tab: Chromium) -> None:
    """Hostile text in titles and descriptions is shown as it is, and the page stays as wide as the window."""
    text = '"><img src=x onerror="window.__pwned = 1"><script>window.__pwned = 1</script>\u202e{{ 7 * 7 }}'
    body = {"password": PASSWORD, "title": text, "description": text + "x" * 900}
    assert server.request("PUT", "/mallory", body).status == 201
    mallory = server.login("mallory", PASSWORD)
    assert server.request("PUT", "/mallory/dev", {"title": text, "description": "x" * 4000}, auth=mallory).status == 200
    person = Person(tab, server, 390)

    for path in ("/", "/mallory", "/mallory/dev", f"/{text[:60].replace('/', '')}".replace(" ", "%20")):
        person.open(path)
        assert tab.evaluate("window.__pwned") is None
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    person.open("/mallory")
    assert text[:40] in person.text()
