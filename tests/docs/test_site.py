"""The site: it leads to every page and every hook, and a browser shows it without the network."""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.chromium import PROGRAM, Chromium

import wheelgate_client.hookspecs
from wheelgate import hookspecs

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]
PAGES = sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))
HOOKS = {
    name
    for specs in (hookspecs, wheelgate_client.hookspecs)
    for name, hook in vars(specs).items()
    if name.startswith("wheelgate_") and inspect.isfunction(hook)
}
with_browser = pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")

ALL_LINKS = """(function links(root) {
    return [...root.querySelectorAll("*")].flatMap(
        each => (each.href ? [String(each.href)] : []).concat(each.shadowRoot ? links(each.shadowRoot) : []))
})(document)"""
"""The addresses of all links, those within the search's own element too."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site; a warning of the generator is an error."""
    work = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", work / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "zensical.toml", work)
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"], cwd=work, capture_output=True, text=True, timeout=60
    )

    assert built.returncode == 0, built.stdout + built.stderr
    return work / "site"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Start one browser for all tests."""
    with Chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def listed(nav: list[dict[str, object]]) -> list[str]:
    """Return the pages of a navigation, in its order."""
    entries = [target for entry in nav for target in entry.values()]
    return [page for target in entries for page in (listed(target) if isinstance(target, list) else [str(target)])]


def from_elsewhere(browser: Chromium, site: Path) -> list[str]:
    """Return the URLs that the pages asked for and that are not of the site's folder."""
    return [url for url in browser.requested if not url.startswith((site.as_uri(), "data:", "about:"))]


def test_the_navigation_lists_every_page() -> None:
    """Each page of ``docs/`` stands in the navigation of ``zensical.toml`` once, and nothing else does."""
    assert sorted(listed(CONFIG["nav"])) == PAGES


@pytest.mark.slow
def test_the_site_builds_without_a_warning(site: Path) -> None:
    """The generator of the site finds every page and every link."""
    assert [page for page in PAGES if not (site / page).with_suffix(".html").exists()] == []


@pytest.mark.slow
@with_browser
def test_the_sidebar_reaches_every_hook(site: Path, browser: Chromium) -> None:
    """On the page of hooks, the list at the side links to each of them, where one sees it."""
    browser.open((site / "reference/hooks.html").as_uri())
    links = "[...document.querySelectorAll('.md-sidebar--secondary a')].filter(each => each.offsetParent)"

    assert set(browser.evaluate(f"{links}.map(each => each.hash.slice(1))")) >= HOOKS


@pytest.mark.slow
@with_browser
def test_the_search_finds_a_hook(site: Path, browser: Chromium) -> None:
    """Typed into the search, the name of a hook leads to its entry in the reference."""
    browser.open((site / "index.html").as_uri())
    browser.wait_for("document.querySelector('.md-search__button')")
    browser.evaluate("document.querySelector('.md-search__button').click()")
    browser.wait_for("document.activeElement && document.activeElement !== document.body")
    browser.type("wheelgate_check_upload")
    found = browser.wait_for(f"{ALL_LINKS}.filter(link => link.includes('wheelgate_check_upload')).map(String)[0]")

    assert Path(found.partition("?")[0]).name == "hooks.html"
    assert found.endswith("#wheelgate_check_upload")
    assert from_elsewhere(browser, site) == []


@pytest.mark.slow
@with_browser
def test_every_page_fits_and_needs_no_network(site: Path, browser: Chromium) -> None:
    """No page scrolls sideways on a laptop or on a phone, code is coloured, and everything comes from the folder."""
    wide, plain = [], []
    # The search's index is half of the time to load a page; another test searches.
    browser.send("Network.setBlockedURLs", urls=["*/search.js"])
    for page in PAGES:
        browser.open((site / page).with_suffix(".html").as_uri())
        for width in (1280, 390):
            browser.resize(width)
            if browser.evaluate("document.documentElement.scrollWidth") > width:
                wide.append((page, width))
        blocks = "[...document.querySelectorAll('.language-python code, code.language-python')]"
        if browser.evaluate(f"{blocks}.some(block => !block.querySelector('span[class]'))"):
            plain.append(page)
    browser.send("Network.setBlockedURLs", urls=[])

    assert (wide, plain, from_elsewhere(browser, site)) == ([], [], [])
