"""Upstreams that are slow, down, or send unusable answers: the mirror serves stored pages, and never an empty one."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event

import pytest
from tests.helpers import distributions
from tests.helpers.simple_pages import SIMPLE_JSON
from tests.helpers.sites import Serve
from tests.helpers.upstream import Fault, Upstream
from tests.plugins.mirror.conftest import Mirror

from wheelgate.testing.site import Site
from wheelgate_mirror.backoff import DEFAULT_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS, MIN_BACKOFF_SECONDS

WHEEL = distributions.wheel("abc", "1.0")
PAGE = "/simple/abc/"
HTML = "text/html; charset=utf-8"


def answers(body: bytes, media_type: str = SIMPLE_JSON) -> Fault:
    """Return a fault that answers with status 200 and this body."""
    return Fault(body=body, headers={"Content-Type": media_type})


FAULTS = {
    "500": Fault(status=500),
    "503": Fault(status=503),
    "429": Fault(status=429, headers={"Retry-After": "77"}),
    "401": Fault(status=401),
    "403": Fault(status=403),
    "204": Fault(status=204),
    "cut off": Fault(cut=40),
    "not JSON": answers(b"{"),
    "deep JSON": answers(b"[" * 100_000),
    "JSON that is a list": answers(b'["abc"]'),
    "JSON without files": answers(b'{"name": "abc", "meta": {"api-version": "1.0"}}'),
    "another project": answers(b'{"name": "xyz", "files": [], "meta": {"api-version": "1.0"}}'),
    "a later API": answers(b'{"name": "abc", "files": [], "meta": {"api-version": "2.0"}}'),
    "a later API in HTML": answers(b'<meta name="pypi:repository-version" content="2.0">', HTML),
    "a login form": answers(b'<html><form action="/login"><a href="/help">Help</a></form></html>', HTML),
    "an empty body": answers(b"", HTML),
    "a page without links": answers(b"<html><body><h1>It works!</h1></body></html>", HTML),
    "a notice": answers(b"<html><title>Links for abc</title><p>Back soon.</p></html>", HTML),
    "a login form without links": answers(b"<html><title>abc</title><form></form></html>", HTML),
    "a page that sends people away": answers(b'<html><meta http-equiv="refresh" content="0;url=/login"></html>', HTML),
    "neither HTML nor JSON": answers(b"abc-1.0.tar.gz", "text/plain"),
    "a JSON error": answers(b'{"errors": [{"status": 404}]}', "application/json"),
    "a JSON error in plain text": answers(b'{"error": "abc"}', "text/plain"),
    "an image": answers(b"<svg></svg>", "image/svg+xml"),
    "not text": answers(b"\xff\xfe\x00", HTML),
    "not gzip": Fault(headers={"Content-Encoding": "gzip"}),
    "a redirect loop": Fault(location=PAGE),
    "a redirect to a file URL": Fault(location="file:///etc/passwd"),
    "a redirect to a closed port": Fault(location="http://127.0.0.1:9/"),
    "endless": Fault(body=b" " * 4096, headers={"Content-Type": SIMPLE_JSON}, endless=True),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_unusable_page(mirror: Mirror, upstream: Upstream, fault: Fault) -> None:
    """The answer for a new project is 502 with the reason; for a stored one it is the old page, marked as stale."""
    upstream.add(WHEEL)
    upstream.faults[PAGE] = fault
    unknown = mirror.page("abc")
    assert unknown.status == 502
    assert "'127.0.0.1'" in unknown.message
    assert "retry-after" not in unknown.headers  # pip would wait for that five times
    del upstream.faults[PAGE]
    mirror.refresh("abc")
    known = mirror.page("abc")
    assert known.status == 200
    assert "x-wheelgate-stale" not in known.headers

    upstream.faults[PAGE] = fault
    mirror.refresh("abc")
    stale = mirror.page("abc")

    assert (stale.status, stale.content, stale.headers["x-wheelgate-stale"]) == (200, known.content, "true")
    del upstream.faults[PAGE]
    mirror.refresh("abc")
    assert "x-wheelgate-stale" not in mirror.page("abc").headers


LISTS = [
    "500", "cut off", "not JSON", "JSON that is a list", "a login form", "an empty body", "neither HTML nor JSON",
    "a page without links", "a notice", "a JSON error in plain text",
]  # fmt: skip


@pytest.mark.parametrize("fault", [FAULTS[name] for name in LISTS], ids=LISTS)
def test_an_unusable_list(mirror: Mirror, upstream: Upstream, fault: Fault) -> None:
    """If the list of projects is unusable, the answer is an error, never an empty list."""
    upstream.add(WHEEL)
    upstream.faults["/simple/"] = fault

    assert mirror.page().status == 502


@pytest.mark.parametrize(
    "body",
    [b'{"projects": [{"name": 5}]}', b'{"projects": [5]}', b'{"projects": [{"name": "a"}', b'{"projects": 5, "x": []}'],
    ids=["a number", "not an object", "cut off", "not a list"],
)
def test_an_invalid_list(mirror: Mirror, upstream: Upstream, body: bytes) -> None:
    """One invalid entry makes the whole list unusable."""
    upstream.faults["/simple/"] = answers(body)

    assert mirror.page().status == (200 if b'"x"' in body else 502)


def test_an_upstream_that_is_down(mirror: Mirror, upstream: Upstream) -> None:
    """Stored pages and files are still served; the answer for another project is 502 with the reason."""
    upstream.add(WHEEL)
    address = mirror.address(WHEEL)
    mirror.site.request("GET", address)
    upstream.stop()
    mirror.refresh("abc")

    assert mirror.page("abc").headers["x-wheelgate-stale"] == "true"
    assert mirror.site.request("GET", address).content == WHEEL.content
    unknown = mirror.page("xyz")
    assert unknown.status == 502
    assert unknown.message == "'127.0.0.1' cannot be reached, or closed the connection; try again later"

    upstream.start()
    mirror.refresh("abc")
    assert "x-wheelgate-stale" not in mirror.page("abc").headers


def test_a_silent_upstream_is_not_waited_for_again(serve: Serve, upstream: Upstream) -> None:
    """One request waits for the configured timeout; for the next half minute, others are answered at once."""
    upstream.add(WHEEL)
    mirror = Mirror(serve(mirror_timeout="1"), "/root/up", mirror_url=upstream.url, mirror_cache_expiry=0)
    known = mirror.page("abc")
    gate = Event()
    upstream.faults["*"] = Fault(gate=gate)

    pages = [mirror.page("xyz"), mirror.page("xyz"), mirror.page("ghi"), mirror.page("abc")]
    gate.set()

    assert [answer.status for answer in pages] == [504, 504, 504, 200]
    assert "does not answer in time" in pages[0].message
    assert (pages[3].content, pages[3].headers["x-wheelgate-stale"]) == (known.content, "true")
    assert upstream.counts() == {PAGE: 1, "/simple/xyz/": 1}


def test_a_body_that_stops_is_a_timeout(serve: Serve, upstream: Upstream) -> None:
    """An upstream that stops in the middle of a body counts as one that does not answer."""
    upstream.add(WHEEL)
    mirror = Mirror(serve(mirror_timeout="1"), "/root/up", mirror_url=upstream.url)
    gate = Event()
    upstream.faults[PAGE] = Fault(gate=gate, gate_at=20)

    answer = mirror.page("abc")
    gate.set()

    assert answer.status == 504


def test_a_closed_connection_is_retried(mirror: Mirror) -> None:
    """A request on a closed connection is sent once more, and the host gets no pause."""
    body = b'{"name": "abc", "files": []}'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {SIMPLE_JSON}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as thread:
        listening.settimeout(10)

        def answer_the_second() -> None:
            listening.accept()[0].close()
            with listening.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(head + body)

        mirror.set(mirror_url=f"http://127.0.0.1:{listening.getsockname()[1]}/simple/")
        done = thread.submit(answer_the_second)

        assert mirror.page("abc").status == 200
        done.result()


@pytest.mark.parametrize("name", ["%3Fx", "a%20b", "a%23", "%2E%2E", "a%25", "%C3%A4"])
def test_an_invalid_name_reaches_no_upstream(mirror: Mirror, upstream: Upstream, name: str) -> None:
    """A text that cannot be a project's name never becomes part of a URL."""
    assert mirror.page(name).status in (302, 400, 404)
    assert upstream.count() == 0


def test_a_failed_page_gets_a_pause(mirror: Mirror, upstream: Upstream) -> None:
    """After a failure, the mirror does not ask for that page for a while, but still asks for other projects."""
    upstream.add(WHEEL)
    upstream.add(distributions.wheel("ghi"))
    upstream.faults[PAGE] = Fault(status=500)

    assert [mirror.page("abc").status for _ in range(3)] == [502] * 3
    assert mirror.page("ghi").status == 200
    assert upstream.count(PAGE) == 1


@pytest.mark.parametrize("retry_after", ["77", "86400", "tomorrow", ""])
def test_a_busy_host_gets_a_pause(mirror: Mirror, upstream: Upstream, retry_after: str) -> None:
    """After 429 and 503, the mirror sends the whole host no requests until the pause is over or a user refreshes."""
    upstream.add(WHEEL)
    address = mirror.address(WHEEL)
    upstream.faults["*"] = Fault(status=429, headers={"Retry-After": retry_after})
    mirror.page("xyz")
    upstream.forget()

    assert [mirror.page("ghi").status, mirror.page().status, mirror.page("abc").status] == [502, 502, 200]
    assert mirror.site.request("GET", address).status == 502
    assert upstream.count() == 0

    upstream.faults.clear()
    mirror.refresh("abc")
    assert mirror.site.request("GET", address).content == WHEEL.content


RETRY_AFTER = {
    "seconds": ("77", 77),
    "blanks": (" 77 ", 77),
    "too long": ("9" * 400, MAX_BACKOFF_SECONDS),
    "too short": ("0", MIN_BACKOFF_SECONDS),
    "a date": ("Mon, 01 Jan 2035 00:01:17 GMT", 77),
    "an old form of date": ("Mon Jan  1 00:01:17 2035", 77),
    "a past date": ("Sun, 31 Dec 2034 00:00:00 GMT", MIN_BACKOFF_SECONDS),
    "a date far away": ("Tue, 02 Jan 2035 00:00:00 GMT", MAX_BACKOFF_SECONDS),
    "nonsense": ("tomorrow", DEFAULT_BACKOFF_SECONDS),
    "nothing": ("", DEFAULT_BACKOFF_SECONDS),
}


PAUSES = [
    pytest.param(
        status,
        *RETRY_AFTER[name],
        what,
        id=f"{what}-{name}-{status}",
        # All come from the same function, so the fast tests ask for each part of the answer once.
        marks=[] if name == "seconds" or (status, what) == (429, "page") else [pytest.mark.slow],
    )
    for what in ("page", "list", "file", "metadata")
    for name in RETRY_AFTER
    for status in (429, 503)
]


@pytest.mark.parametrize(("status", "retry_after", "pause", "what"), PAUSES)
def test_a_busy_host_says_how_long_the_pause_is(
    mirror: Mirror, upstream: Upstream, status: int, retry_after: str, pause: float, what: str
) -> None:
    """The pause lasts as long as the host asks for, within limits, and the message says when it ends."""
    upstream.add(WHEEL)
    address = mirror.address(WHEEL)
    path = {"page": "+simple/xyz/", "list": "+simple/"}.get(what, "")
    path = f"{mirror.path}/{path}" if path else address + (".metadata" if what == "metadata" else "")
    # The date is relative to the clock of the upstream, which may differ from that of this server.
    headers = {"Retry-After": retry_after, "Date": "Mon, 01 Jan 2035 00:00:00 GMT"}
    upstream.faults["*"] = Fault(status=status, headers=headers)
    begun = time.time()

    first, second = (mirror.site.request("GET", path, headers={"Accept": SIMPLE_JSON}) for _ in range(2))

    assert (first.status, second.message) == (502, first.message)
    until = datetime.fromisoformat(first.message.rpartition(" until ")[2]).timestamp()
    assert begun + pause <= until <= time.time() + pause + 1
    assert upstream.count("/simple/xyz/") + upstream.count("/simple/") <= 1


@pytest.mark.parametrize("known", [False, True], ids=["an unknown project", "a stored page"])
def test_a_short_pause_is_over_soon(mirror: Mirror, upstream: Upstream, known: bool) -> None:
    """If a busy host asks for one second, the page comes from it after one second, and not after thirty."""
    upstream.add(WHEEL)
    if known:
        mirror.files("abc")
    upstream.faults[PAGE] = Fault(status=429, headers={"Retry-After": "1"})
    busy = mirror.page("abc")
    assert (busy.status, busy.headers.get("x-wheelgate-stale")) == ((200, "true") if known else (502, None))
    upstream.faults.clear()

    Event().wait(1.1)

    answer = mirror.page("abc")
    assert (answer.status, answer.headers.get("x-wheelgate-stale")) == (200, None)


def test_one_of_two_mirrors_is_down(mirror: Mirror, upstream: Upstream, shared: Site, fresh: str) -> None:
    """An index with two mirrors serves a project from the one that answers."""
    upstream.add(WHEEL)
    away = Mirror(shared, f"/root/{fresh}-away", mirror_url="http://127.0.0.1:9/simple/")
    bases = [away.path.strip("/"), mirror.path.strip("/")]
    shared.request("PUT", f"/root/{fresh}-both", {"bases": bases}, auth=("root", ""))

    answer = shared.request("GET", f"/root/{fresh}-both/+simple/abc/", headers={"Accept": SIMPLE_JSON})

    assert (answer.status, answer.headers["x-wheelgate-stale"]) == (200, "true")
    assert [entry["filename"] for entry in answer.json["files"]] == [WHEEL.filename]
    assert shared.request("GET", f"/root/{fresh}-both/+simple/xyz/", headers={"Accept": SIMPLE_JSON}).status == 502


def test_requests_go_only_where_they_are_allowed(serve: Serve, upstream: Upstream) -> None:
    """``--allow-upstream public`` refuses this machine's address in ``mirror_url``, and its name at the request."""
    upstream.add(WHEEL)
    mirror = Mirror(serve(), "/root/up", mirror_url=upstream.url, mirror_cache_expiry=0)
    known = mirror.page("abc")
    mirror.site = site = serve(allow_upstream=["public"])

    refused = site.request("PATCH", mirror.path, {"mirror_url": f"{upstream.url}x/"}, auth=("root", ""))
    assert refused.status == 403
    assert "--allow-upstream" in refused.message
    assert (mirror.page("abc").content, upstream.count()) == (known.content, 1)
    assert mirror.page("xyz").status == 403
    named = upstream.url.replace("127.0.0.1", "localhost")
    assert site.request("PATCH", mirror.path, {"mirror_url": named}, auth=("root", "")).status == 200
    answer = mirror.page("abc")
    assert (answer.status, upstream.count()) == (403, 1)
    assert "'localhost'" in answer.message


def test_redirects_lead_only_where_requests_are_allowed(serve: Serve, upstream: Upstream) -> None:
    """The target of a redirect must be allowed, as that of any other request."""
    mirror = Mirror(serve(allow_upstream=["127.0.0.1"]), "/root/up", mirror_url=upstream.url)
    upstream.faults[PAGE] = Fault(location="http://127.0.0.2:9/simple/abc/")

    answer = mirror.page("abc")

    assert (answer.status, "'127.0.0.2'" in answer.message) == (403, True)


def test_failures_are_logged_without_credentials(
    shared: Site, fresh: str, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says which mirror serves an old answer and why, without the password in ``mirror_url``."""
    upstream.add(WHEEL)
    url = upstream.url.replace("//", "//ci:swordfish@")
    mirror = Mirror(shared, f"/root/{fresh}", mirror_url=url, mirror_cache_expiry=0)
    mirror.page("abc")
    upstream.stop()

    answer = mirror.page("abc")

    assert answer.headers["x-wheelgate-stale"] == "true"
    assert f"root/{fresh} serves an old answer for 'abc'" in caplog.text
    assert "swordfish" not in caplog.text + json.dumps([answer.content.decode(), mirror.page("xyz").message])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_body_of_a_redirect_is_not_read(mirror: Mirror, upstream: Upstream, status: int) -> None:
    """A redirect is followed although its body never ends; compressed, it could become any size."""
    upstream.add(WHEEL)
    never = Event()
    upstream.faults["/simple/abc/"] = Fault(
        status=status, body=b"x" * 999, headers={"Location": "/simple/xyz/"}, gate=never, gate_at=9
    )
    upstream.faults["/simple/xyz/"] = Fault(location="/simple/final/")
    upstream.faults["/simple/final/"] = answers(f'<a href="/files/{WHEEL.filename}">x</a>'.encode(), HTML)

    assert [*mirror.files("abc")] == [WHEEL.filename]
    never.set()
