"""The pages of projects in a real browser: they fit, copy what they promise, and run nothing of a release."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tests.helpers.chromium import PROGRAM, Chromium
from tests.helpers.distributions import Distribution, sdist, wheel
from tests.helpers.upload_forms import encode, file_fields

from wheelgate.testing.server_process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")]

ROOT = ("root", "")
AXE = (Path(__file__).parent / "axe-core/axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (1280, 390, 320)
LONG = "x" * 4000
EVIL_MARKDOWN = f"""# {LONG}

<script>window.__pwned = 1</script><img src=x onerror="window.__pwned = 1"><svg onload="window.__pwned = 1">
<a href="javascript:window.__pwned=1" id="main" class="note bad">x</a><p style="position:fixed;width:9999px">x</p>
<iframe srcdoc="<script>parent.__pwned = 1</script>"></iframe><form action=/+login><input name=password></form>
![picture](http://192.0.2.1/picture.png) \u202eevil

| {LONG} | b |
|---|---|
| 1 | {"2 " * 300} |

```python
{LONG}
```
"""
RELEASES: dict[str, list[tuple[str, str]]] = {
    "plain": [],
    "readme": [
        ("description", "# One\n\n## Two\n\n* [a](https://x.example)\n\n```python\nimport this\n```\n"),
        ("description_content_type", "text/markdown"),
        ("summary", "Reads weather stations"),
        ("requires_dist", "plain>=1 ; python_version >= '3.8'"),
        ("project_urls", "Source, https://src.example/x"),
    ],
    "hostile": [
        ("description", EVIL_MARKDOWN),
        ("description_content_type", "text/markdown"),
        *((key, f"<script>window.__pwned = 1</script>\u202e{LONG}"[:500]) for key in ("summary", "author", "license")),
        ("project_urls", f"{LONG[:300]}, javascript:window.__pwned=1"),
        ("requires_dist", "plain"),
    ],
    "as-it-is": [("description", LONG + "\n" * 3 + "y " * 500), ("description_content_type", "text/plain")],
}
PAGES = [
    *(f"root/dev/{name}" for name in RELEASES),
    "root/dev/readme/1.0",
    "root/dev/readme/7",
    "root/dev/+why/readme",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Return a server with releases of many kinds."""
    with ServerProcess(tmp_path_factory.mktemp("browser") / "server") as server:
        root = server.login(*ROOT)
        for path, bases in (("root/base", []), ("root/dev", ["root/base"])):
            config = {"acl_upload": ["root"], "bases": bases}
            assert server.request("PUT", f"/{path}", config, auth=root).status == 200
        for name, fields in RELEASES.items():
            for dist in (wheel(name, "1.0"), sdist(name, "1.0"), wheel(name, "1.1"), wheel(name, "2.0rc1")):
                post(server, "root/dev", dist, root, fields)
        post(server, "root/base", wheel("readme", "1.0", seed=1), root, [])
        server.request("PATCH", "/root/dev/readme/1.0", {"yanked": True, "reason": LONG[:400]}, auth=root)
        yield server


def post(
    server: ServerProcess, index: str, dist: Distribution, auth: tuple[str, str], fields: list[tuple[str, str]]
) -> None:
    """Upload a file."""
    body, headers = encode([*file_fields(dist), *fields])
    answer = server.request("POST", f"/{index}/", body, auth=auth, headers=headers)
    assert answer.status == 200, answer.content


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Return a browser for all tests of this file."""
    with Chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_its_window(server: ServerProcess, browser: Chromium, path: str) -> None:
    """At the width of a desk and of a phone, only code scrolls sideways, whatever a release contains."""
    wide = []
    for width in WIDTHS:
        browser.open(server.url + path, width)
        if browser.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(width)

    assert wide == []


@pytest.mark.parametrize("path", PAGES)
def test_nothing_of_a_release_runs(server: ServerProcess, browser: Chromium, path: str) -> None:
    """No script of a release runs, no other host is asked, and no name on the page occurs twice."""
    browser.requested.clear()
    browser.open(server.url + path)

    assert browser.evaluate("typeof window.__pwned") == "undefined"
    assert [url for url in browser.requested if not url.startswith(server.url)] == []
    ids = browser.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert len(ids) == len(set(ids))
    assert browser.evaluate("document.querySelectorAll('main form, main img, main iframe, main style').length") == 0


@pytest.mark.parametrize("path", PAGES)
def test_the_structure_of_a_page(server: ServerProcess, browser: Chromium, path: str) -> None:
    """A page has one first heading, no level of heading that skips one, and a table on a phone stays a table."""
    browser.open(server.url + path, 390)

    levels = browser.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(each => +each.tagName[1])")
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    shown = browser.evaluate(
        "[...document.querySelectorAll('.readme table')].map(each => getComputedStyle(each).display)"
    )
    assert set(shown) <= {"table"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(server: ServerProcess, browser: Chromium, path: str, scheme: str) -> None:
    """No page breaks a rule of WCAG 2.2 AA that a program can check, whatever a release contains."""
    browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    found = {}
    for width in (1280, 390):
        browser.open(server.url + path, width)
        browser.evaluate(f"{AXE};1")
        script = f"axe.run({{runOnly: {json.dumps(RULES)}}}).then(all => all.violations.map(each => each.id))"
        found[width] = browser.evaluate(script)

    assert found == {1280: [], 390: []}


def test_buttons_copy_what_they_name(server: ServerProcess, browser: Chromium) -> None:
    """The buttons copy the line to install a version, and the whole hash of a file, and say so."""
    dist = wheel("readme", "1.0")
    browser.send("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.open(f"{server.url}root/dev/readme/1.0")
    browser.send("Page.bringToFront")

    copied = {}
    for button in ("install", "hash-1", "hash-2"):
        browser.evaluate("document.getElementById('said').textContent = ''")
        browser.evaluate(f"document.querySelector('[data-copy={button}]').click()")
        browser.wait_for("document.getElementById('said').textContent === 'Copied'")
        copied[button] = browser.evaluate("navigator.clipboard.readText()")

    assert copied["install"] == f"pip install --index-url {server.url}root/dev/+simple/ readme==1.0"
    assert dist.sha256 in (copied["hash-1"], copied["hash-2"])


def test_from_a_project_to_its_file(server: ServerProcess, browser: Chromium) -> None:
    """Links lead from a project to a version, to a dependency, and to where it comes from."""
    steps = [("1.0", "/root/dev/readme/1.0"), ("1.1", "/root/dev/readme/1.1"), ("Why?", "/root/dev/+why/readme")]
    browser.open(f"{server.url}root/dev/readme")
    for text, path in steps:
        found = f"[...document.querySelectorAll('main a')].find(each => each.textContent === '{text}').href"
        browser.open(browser.evaluate(found))
        assert browser.evaluate("location.pathname") == path

    assert browser.evaluate("document.querySelector('tbody th a').textContent") == "root/dev"
