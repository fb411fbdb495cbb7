"""Browsers get pages at the addresses of the API; every other client gets what it gets without the pages."""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.helpers.sites import Serve
from tests.helpers.web_clients import BROWSERS, CLIENTS, NOT_BROWSERS

from wheelgate import hookimpl
from wheelgate.errors import BackendUnavailable, NotFound, StartupError
from wheelgate.providers import Page, RouteRequest, RouteResponse
from wheelgate.testing.site import Site

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ADDRESSES = {
    "/": "/",
    "/{user}": "/alice",
    "/{user}/{index}": "/alice/dev",
    "/{user}/{index}/{project}": "/alice/dev/demo",
    "/{user}/{index}/{project}/{version}": "/alice/dev/demo/1.0",
    "/{user}/{index}/+why/{project}": "/alice/dev/+why/demo",
}
HTML = "text/html; charset=utf-8"
CHROMIUM = BROWSERS["chromium"]


def show(request: RouteRequest) -> RouteResponse:
    """Show who asks for what."""
    text = f"{request.request.path} for {request.principal.name} at {request.base_url}"
    return RouteResponse(body=text.encode(), media_type=HTML)


@dataclass(frozen=True)
class Pages:
    """A plugin with a page at each address, or with others."""

    pages: tuple[Page, ...] = tuple(Page(address, show) for address in ADDRESSES)

    @hookimpl
    def wheelgate_pages(self) -> list[Page]:
        """Return the pages."""
        return list(self.pages)


@pytest.fixture(scope="module")
def paged(serve_shared: Serve) -> Site:
    """Return a server with pages, a user and an index."""
    return furnished(serve_shared("paged", extra={"pages": Pages()}, no_plugin=["web"]))


@pytest.fixture(scope="module")
def plain(serve_shared: Serve) -> Site:
    """Return the same without pages."""
    return furnished(serve_shared("plain", no_plugin=["web"]))


def furnished(site: Site) -> Site:
    """Add a user with an index."""
    alice = site.add_user("alice")
    assert site.request("PUT", "/alice/dev", {}, auth=alice).status == 200
    return site


@pytest.mark.parametrize("client", list(CLIENTS))
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("address", list(ADDRESSES))
def test_which_client_gets_a_page(paged: Site, plain: Site, client: str, method: str, address: str) -> None:
    """A browser gets the page; another client gets status, body and headers as before, apart from ``Vary``."""
    path = ADDRESSES[address]
    answer = paged.request(method, path, headers=CLIENTS[client])

    if client in BROWSERS:
        assert (answer.status, answer.headers["content-type"]) == (200, HTML)
        assert answer.headers["vary"] == "Accept, User-Agent, Cookie"
        assert answer.content == (b"" if method == "HEAD" else f"{path} for None at http://localhost".encode())
        return
    before = plain.request(method, path, headers=CLIENTS[client])
    assert (answer.status, without_times(answer.content)) == (before.status, without_times(before.content))
    assert comparable(answer.headers) == comparable(before.headers)
    if "+why" not in path:
        assert answer.headers["vary"] == "Accept, User-Agent"


def without_times(content: bytes) -> bytes:
    """Return a body without the times at which the server was made."""
    return re.sub(rb"20[0-9-]+T[0-9:]+Z", b"then", content)


def comparable(headers: object) -> dict[str, str]:
    """Return the headers of an answer that do not differ from server to server."""
    own = {"vary", "x-request-id", "x-devpi-uuid", "x-devpi-master-uuid", "x-devpi-primary-uuid", "x-devpi-serial"}
    return {name: value for name, value in dict(headers).items() if name not in own}  # type: ignore[call-overload]


@pytest.mark.parametrize(("accept", "is_page"), list(NOT_BROWSERS.items()))
def test_what_a_browser_accepts(paged: Site, accept: str, is_page: bool) -> None:
    """``text/html`` must be named, must not weigh less than JSON, and no type of installers may be named."""
    answer = paged.request("GET", "/alice", headers={**CHROMIUM, "Accept": accept})

    assert (answer.headers["content-type"] == HTML) is is_page


@pytest.mark.parametrize("path", ["/+api", "/+status", "/+openapi", "/alice/+api", "/alice/dev/+simple/", "/+nothing"])
def test_addresses_with_a_plus_have_no_page(paged: Site, plain: Site, path: str) -> None:
    """At addresses of the protocol, a browser gets what it got before."""
    answer, before = (site.request("GET", path, headers=CHROMIUM) for site in (paged, plain))

    assert (answer.status, answer.headers.get("vary")) == (before.status, before.headers.get("vary"))
    assert answer.headers["content-type"] == before.headers["content-type"]


def test_changes_are_never_pages(paged: Site) -> None:
    """A browser that changes something gets JSON, also when it is refused."""
    refused = paged.request("DELETE", "/alice", headers=CHROMIUM)
    upload = paged.request("POST", "/alice/dev/", b"form", headers=CHROMIUM)

    assert (refused.status, upload.status) == (401, 400)
    assert refused.message
    assert upload.message


def test_a_name_is_redirected_before_the_page_is_made(paged: Site) -> None:
    """A page of a project has one address, with the normalised name."""
    answer = paged.request("GET", "/alice/dev/De_Mo/1.0?x=1", headers=CHROMIUM)

    assert (answer.status, answer.headers["location"]) == (302, "../de-mo/1.0?x=1")


def refuse(error: Exception) -> Pages:
    """Return a plugin whose overview fails, with a page for errors."""

    def fail(request: RouteRequest) -> RouteResponse:
        raise error

    return Pages((Page("/", fail), Page("error", explain)))


def explain(request: RouteRequest) -> RouteResponse:
    """Show an error."""
    assert request.error is not None
    text = f"page {request.error.status}: {request.error.message}"
    return RouteResponse(body=text.encode(), media_type=HTML, headers={"x-page": "yes"})


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (NotFound("no such thing"), 404, "no such thing"),
        (BackendUnavailable("not now", retry_after=7), 503, "not now"),
        (KeyError("swordfish"), 500, "the server failed on this request; its log says where"),
    ],
    ids=["refusal", "unavailable", "fault"],
)
def test_a_page_that_fails_is_answered_by_the_page_for_errors(
    serve: Serve, error: Exception, status: int, message: str
) -> None:
    """It has the status and the headers of the error; other clients get the error as JSON."""
    site = serve(extra={"pages": refuse(error)}, no_plugin=["web"])

    page = site.request("GET", "/", headers=CHROMIUM)

    assert (page.status, page.content.decode(), page.headers["x-page"]) == (status, f"page {status}: {message}", "yes")
    assert page.headers.get("retry-after") == ("7" if status == 503 else None)


@pytest.mark.parametrize(
    ("path", "status", "is_page"),
    [
        ("/nobody", 404, True),
        ("/a/b/c/d/e/f", 404, True),
        ("/alice/none/+why/demo", 404, True),
        ("/+x/pages/nothing", 404, True),
        ("/+x/other/nothing", 404, False),
        ("/nobody/none/+simple/", 404, False),
        ("/+nothing", 404, False),
    ],
)
def test_which_errors_are_pages(serve_shared: Serve, path: str, status: int, is_page: bool) -> None:
    """Errors are pages where pages can be, and below the addresses of the plugin."""
    site = serve_shared("errors", extra={"pages": Pages((Page("error", explain),))}, no_plugin=["web"])

    answer = site.request("GET", path, headers=CHROMIUM)

    assert (answer.status, answer.headers["content-type"] == HTML) == (status, is_page)
    assert site.request("GET", path).headers["content-type"] == "application/json"


def test_a_page_for_errors_that_fails_leaves_the_json(serve: Serve) -> None:
    """The client gets the error in any case."""

    def fail(request: RouteRequest) -> RouteResponse:
        raise KeyError("swordfish")

    site = serve(extra={"pages": Pages((Page("error", fail),))}, no_plugin=["web"])

    answer = site.request("GET", "/nobody", headers=CHROMIUM)

    assert (answer.status, "swordfish" in answer.message) == (404, False)


def test_a_refusal_for_lack_of_a_login_opens_no_dialog(serve: Serve) -> None:
    """The page of a 401 has no challenge for the scheme Basic; the JSON still has it."""
    site = serve(extra={"pages": Pages((Page("error", explain),))}, no_plugin=["web"], require_login=True)

    page, data = site.request("GET", "/", headers=CHROMIUM), site.request("GET", "/")

    assert (page.status, data.status) == (401, 401)
    assert "basic" not in page.headers.get("www-authenticate", "").lower()
    assert "Basic" in data.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("plugins", "message"),
    [
        (
            {"one": Pages((Page("/", show),)), "two": Pages((Page("/", explain),))},
            "wheelgate_pages: '/' comes from plugin 'one' and from plugin 'two'",
        ),
        ({"one": Pages((Page("/+api", show),))}, "plugin 'one': there can be no page at '/+api'"),
    ],
    ids=["twice", "nowhere"],
)
def test_pages_that_stop_the_start(serve: Serve, plugins: dict[str, Pages], message: str) -> None:
    """Two pages at one address, or one where there can be none, stop the start."""
    with pytest.raises(StartupError, match=message.replace("(", r"\(").replace("+", r"\+")):
        serve(extra=plugins, no_plugin=["web"])


@dataclass
class Counter:
    """A page that counts how often it is made."""

    made: int = 0

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show the number."""
        self.made += 1
        return RouteResponse(body=b"%d" % self.made, media_type=HTML, headers={"etag": f'"{self.made}"'})


@pytest.mark.parametrize(
    ("kept", "private", "others", "times"),
    [
        (True, False, {}, 1),
        (False, False, {}, 2),
        (True, True, {}, 2),
        (True, False, {"Host": "other.example"}, 2),
        (True, False, {"X-Devpi-Auth": "YWxpY2U6d3Jvbmc="}, 2),
    ],
    ids=["kept", "not kept", "private index", "other address", "wrong password"],
)
def test_a_kept_page_is_made_once(serve: Serve, kept: bool, private: bool, others: dict[str, str], times: int) -> None:
    """It is made again for another address, after a change, and always while it may depend on its reader."""
    counter = Counter()
    site = serve(extra={"pages": Pages((Page("/", counter.show, kept=kept),))}, no_plugin=["web"])
    alice = site.add_user("alice")
    site.request("PUT", "/alice/dev", {"acl_read": ["alice"]} if private else {}, auth=alice)

    site.request("GET", "/", headers=CHROMIUM)
    site.request("GET", "/", headers={**CHROMIUM, **others})
    assert counter.made == times
    site.request("PATCH", "/alice", {"title": "x"}, auth=alice)
    site.request("GET", "/", headers=CHROMIUM)
    assert counter.made == times + 1
    site.request("GET", "/", headers=CHROMIUM, auth=alice)
    assert counter.made == times + 2


def test_a_browser_that_has_a_page_gets_no_second_copy(serve: Serve) -> None:
    """With the entity tag of the page, the answer is 304 without a body."""
    site = serve(extra={"pages": Pages((Page("/", Counter().show, kept=True),))}, no_plugin=["web"])

    etag = site.request("GET", "/", headers=CHROMIUM).headers["etag"]
    again = site.request("GET", "/", headers={**CHROMIUM, "If-None-Match": etag})
    other = site.request("GET", "/", headers={**CHROMIUM, "If-None-Match": '"other"'})

    assert (again.status, again.content) == (304, b"")
    assert (other.status, other.content) == (200, b"1")


@pytest.mark.parametrize(
    ("accepted", "coding", "read"),
    [
        ("gzip, deflate, br, zstd", "zstd", zstd.decompress),
        ("gzip, deflate", "gzip", gzip.decompress),
        ("br", None, bytes),
    ],
)
def test_a_kept_page_is_compressed(
    serve: Serve, accepted: str, coding: str | None, read: Callable[[bytes], bytes]
) -> None:
    """Each coding has a tag of its own; the page of somebody signed in is not compressed, as it may hold secrets."""
    site = serve(extra={"pages": Pages((Page("/", Counter().show, kept=True),))}, no_plugin=["web"])
    headers = {**CHROMIUM, "Accept-Encoding": accepted}

    page = site.request("GET", "/", headers=headers)
    again = site.request("GET", "/", headers={**headers, "If-None-Match": page.headers["etag"]})
    own = site.request("GET", "/", headers=headers, auth=site.add_user("alice"))

    assert (page.headers.get("content-encoding"), read(page.content)) == (coding, b"1")
    assert page.headers["vary"] == "Accept, User-Agent, Cookie, Accept-Encoding"
    assert page.headers["etag"] == (f'"1-{coding}"' if coding else '"1"')
    assert again.status == 304
    assert "content-encoding" not in own.headers
