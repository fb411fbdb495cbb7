"""The pages of the overview, of users and of indices: what they show, and to whom."""

from __future__ import annotations

import re

import pytest
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import submit
from tests.helpers.web_browser import Browser
from tests.helpers.web_clients import BROWSERS
from tests.helpers.web_people import PASSWORD, furnish

from wheelgate.testing.site import Site

CHROMIUM = BROWSERS["chromium"]


HOSTILE_TEXTS = [
    "<script>window.__pwned = 1</script>",
    '"><img src=x onerror="window.__pwned = 1">',
    "{{ 7 * 7 }}{% raw %}${x}<%= x %>",
    "javascript:window.__pwned=1",
    "\u202eright to left\u202c \u2066",
    "x" * 900,
    "&lt;b&gt; &amp;",
    "</title></style></textarea><!--",
]


@pytest.fixture(scope="module")
def site(serve_shared: Serve) -> Site:
    """Return a server of a company."""
    site = serve_shared("company")
    furnish(site)
    return site


@pytest.fixture
def anonymous(site: Site) -> Browser:
    """Return a reader who is not signed in."""
    return Browser(site)


@pytest.fixture
def emilie(site: Site) -> Browser:
    """Return a reader who is signed in."""
    browser = Browser(site)
    browser.sign_in("emilie", PASSWORD)
    return browser


def test_the_overview(anonymous: Browser) -> None:
    """It links users and indices by exactly their names, and says what is in them."""
    page = anonymous.open("/")

    assert page.status == 200
    assert {"emilie", "sophie", "zoe", "emilie/dev", "emilie/prod", "Sign in", "Create user"} <= page.links.keys()
    assert "emilie/secret" not in page.text
    assert "Development stage · 2 projects".replace(" · ", "") in page.said
    assert re.search(r"last upload \d+ [A-Z][a-z]{2} 20\d\d, \d\d:\d\d UTC", page.said)
    assert page.said.index("Weather team") < page.said.index("zoe")


def test_signed_in_readers_see_what_they_may_read(emilie: Browser) -> None:
    """A private index is there for its readers, and counts for them."""
    page = emilie.open("/")

    assert {"emilie/secret", "all 4 indices of emilie"} <= page.links.keys()
    assert "Sign out" in page.buttons
    assert "Administration" not in page.links


@pytest.mark.parametrize("path", ["/", "/emilie"])
def test_private_indices_do_not_show(site: Site, anonymous: Browser, path: str) -> None:
    """Without the private index, the page would be the same, byte for byte."""
    before = anonymous.open(path).response.content
    site.request("PATCH", "/emilie/secret", {"title": "Another"}, auth=site.login("emilie", PASSWORD))

    assert anonymous.open(path).response.content == before


@pytest.mark.parametrize("path", ["/emilie/secret", "/emilie/nothing", "/nobody/dev"])
def test_a_private_index_looks_like_none(anonymous: Browser, path: str) -> None:
    """An index that one may not read, and one that is not there, have one and the same page."""
    page = anonymous.open(path)
    other = anonymous.open(path + "0")

    assert (page.status, other.status) == (401, 401)
    assert page.said.replace(path[1:], "") == other.said.replace(path[1:] + "0", "")


def test_a_user(anonymous: Browser, emilie: Browser) -> None:
    """The page of a user offers its actions and the e-mail to the user alone."""
    shown, own = anonymous.open("/emilie"), emilie.open("/emilie")

    assert {"emilie/dev", "emilie/prod", "emilie/tools", "Overview"} <= shown.links.keys()
    assert "emilie@packages.example" not in shown.text
    actions = {"Edit profile", "Change password", "API tokens", "Create index", "Delete user"}
    assert not actions & shown.links.keys()
    assert actions <= own.links.keys()
    assert "emilie@packages.example" in own.text
    assert not actions & emilie.open("/sophie").links.keys()


def test_an_index(anonymous: Browser) -> None:
    """It lists projects with their latest stable version, and offers the lines for every tool."""
    page = anonymous.open("/emilie/dev")

    assert {"clock-tower": "/emilie/dev/clock-tower", "weather-station": "/emilie/dev/weather-station"}.items() <= (
        page.links.items()
    )
    assert re.search(r"weather-station\s*1\.1\s*Reads weather stations", page.said)
    assert "Edit index" not in page.links
    tools = ("pip", "pip.conf", "uv", "Poetry", "PDM", "devpi", "twine", "uv publish", ".pypirc")
    assert {f"Copy {tool}" for tool in tools} <= set(page.buttons)
    for line in (
        "pip install --index-url http://localhost/emilie/dev/+simple/ PROJECT",
        "poetry source add --priority=primary emilie-dev http://localhost/emilie/dev/+simple/",
        "twine upload --repository-url http://localhost/emilie/dev/ dist/*",
        "uv publish --publish-url http://localhost/emilie/dev/",
        "devpi use http://localhost/emilie/dev",
    ):
        assert line in page.text
    assert "extra-index-url" not in page.text


def test_the_lines_have_the_outside_address(serve: Serve) -> None:
    """Behind a proxy, links and lines begin with the path and the address outside."""
    site = serve(outside_url="https://packages.example/sub")
    root = ("root", site.config["root-passwd"])
    site.request("PUT", "/root/dev", {"acl_read": [":ANONYMOUS:"]}, auth=root)

    page = Browser(site).open("/root/dev")

    assert "pip install --index-url https://packages.example/sub/root/dev/+simple/ PROJECT" in page.text
    assert "machine packages.example" in page.text
    assert (page.links["root"], page.links["wheelgate"]) == ("/sub/root", "/sub/")


def test_pip_must_trust_a_host_without_https(site: Site) -> None:
    """Without https, pip ignores an index, unless the line names its host."""
    page = Browser(site, Host="packages.example:3141").open("/emilie/dev")

    assert "+simple/ --trusted-host packages.example:3141 PROJECT" in page.text


@pytest.mark.parametrize(("query", "first"), [("", "clock-tower"), ("?sort=upload", "weather-station")])
def test_how_projects_are_sorted(anonymous: Browser, query: str, first: str) -> None:
    """By name, or the latest upload first."""
    page = anonymous.open(f"/emilie/dev{query}")

    assert next(text for text in page.links if text in ("clock-tower", "weather-station")) == first


def test_a_mirror_is_looked_at_without_its_upstream(serve: Serve) -> None:
    """The page does not ask the upstream, and shows its address without login and query."""
    site = serve()
    url = "http://user:secret@127.0.0.1:9/simple/?key=secret"
    site.request("PUT", "/root/other", {"type": "mirror", "mirror_url": url}, auth=("root", ""))

    page = Browser(site).open("/root/other")

    assert page.status == 200
    assert "A mirror of http://127.0.0.1:9/simple/" in page.said
    assert "secret" not in page.response.content.decode()


def test_a_new_server_says_how_to_begin(serve: Serve) -> None:
    """Without a hosted index, the overview has the commands that make one."""
    page = Browser(serve()).open("/")

    assert "Nothing here yet" in page.text
    assert "devpi use http://localhost" in page.text
    assert "devpi upload" in page.text


def test_long_lists_have_pages(serve: Serve) -> None:
    """A page has at most 30 users or 75 projects; links lead to the next ones and back, and a filter finds names."""
    site = serve()
    owner = site.add_user("owner")
    site.request("PUT", "/owner/dev", {}, auth=owner)
    for number in range(60):
        site.request("PUT", f"/user{number:02}", {"password": PASSWORD})
    for number in range(110):
        assert (
            submit(site, "owner/dev", owner, **{":action": "submit", "name": f"demo{number:03}", "version": "1"}).status
            == 200
        )
    browser = Browser(site)

    first = browser.open("/")
    second = browser.open("/" + first.links["Next page"])
    assert ("user27" in first.links, "user28" in first.links, "user28" in second.links) == (True, False, True)
    assert browser.open("/" + second.links["Previous page"]).links.keys() == first.links.keys()
    assert "user05" not in browser.open("/?filter=user1").links
    assert "user15" in browser.open("/?filter=user1").links
    projects = browser.open("/owner/dev")
    assert max(len(page.response.content) for page in (first, projects)) < 50_000
    rest = browser.open("/owner/dev" + projects.links["Next page"])
    assert ("demo074" in projects.links, "demo075" in projects.links, "demo109" in rest.links) == (True, False, True)


@pytest.mark.parametrize("path", ["/", "/emilie", "/emilie/dev", "/+x/web/sign-in", "/nobody"])
def test_every_page_has_its_headers(anonymous: Browser, path: str) -> None:
    """The policy for browsers allows no other host, no inline script, no frame, and keeps ``Origin`` honest."""
    page = anonymous.open(path)

    headers = page.response.headers
    policy = headers["content-security-policy"]
    assert re.fullmatch(
        r"default-src 'none'; script-src 'self'; style-src 'sha256-[^']+'; img-src 'self'; connect-src 'self'; "
        r"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        policy,
    )
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-robots-tag"] == "noindex"
    assert not re.search(rb" style=| on[a-z]+=|<script>", page.response.content)
    assert len(page.response.content) < 50_000
    assert page.ids.count("main") == 1
    assert sorted(set(page.ids)) == sorted(page.ids)
    assert [page.tags.count(tag) for tag in ("h1", "main", "header", "footer")] == [1, 1, 1, 1]


def test_a_page_that_has_not_changed_is_not_sent_again(site: Site) -> None:
    """An anonymous page has an entity tag; a form, an error and the page of somebody signed in are not stored."""
    page = site.request("GET", "/emilie", headers=CHROMIUM)
    again = site.request("GET", "/emilie", headers={**CHROMIUM, "If-None-Match": page.headers["etag"]})

    assert page.headers["cache-control"] == "no-cache"
    assert (again.status, again.content) == (304, b"")
    for path in ("/+x/web/sign-in", "/nobody"):
        answer = site.request("GET", path, headers=CHROMIUM)
        assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)


@pytest.mark.parametrize("name", ["script", "icon"])
def test_the_files_of_pages_never_change(site: Site, anonymous: Browser, name: str) -> None:
    """Their address has their hash, so that a browser asks for them once."""
    content = anonymous.open("/").response.content.decode()
    address = re.search(rf'"(/\+x/web/{name}-[0-9a-f]{{16}}\.\w+)"', content)
    assert address is not None

    answer = site.request("GET", address[1], headers=CHROMIUM)

    assert (answer.status, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert len(answer.content) < 8000


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=ascii)
def test_what_users_type_is_text(serve: Serve, text: str) -> None:
    """Markup, templates and bidi marks in titles, descriptions and addresses are shown as they are, and isolated."""
    site = serve()
    alice = site.add_user("alice")
    fields = {"title": text, "description": text}
    assert site.request("PATCH", "/alice", fields, auth=alice).status == 200
    assert site.request("PUT", "/alice/dev", fields, auth=alice).status == 200
    browser = Browser(site)

    for path in ("/", "/alice", "/alice/dev"):
        page = browser.open(path)
        assert page.status == 200
        assert text in page.text
        assert {"img", "iframe"}.isdisjoint(page.tags)
        assert (page.tags.count("script"), page.tags.count("style")) == (1, 1)
