"""Upstreams that are slow, away, or answer what cannot be used: what is known is served on, and nothing is made up."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from tests.helpers import distributions
from tests.helpers.sites import Serve
from tests.helpers.upstream import Fault, Upstream
from tests.plugins.mirror.conftest import JSON, Mirror

from wheelgate.errors import BadUpstream
from wheelgate.testing.site import Site
from wheelgate_mirror.backoff import MAX_BACKOFF_SECONDS, Backoff

WHEEL = distributions.wheel("abc", "1.0")
PAGE = "/simple/abc/"
HTML = "text/html; charset=utf-8"


def answers(body: bytes, kind: str = JSON) -> Fault:
    """Make an upstream answer with status 200, and with this."""
    return Fault(body=body, headers={"Content-Type": kind})


FAULTS = {
    "500": Fault(status=500),
    "503": Fault(status=503),
    "429": Fault(status=429, headers={"Retry-After": "77"}),
    "401": Fault(status=401),
    "403": Fault(status=403),
    "204": Fault(status=204),
    "cut off": Fault(cut=40),
    "no JSON": answers(b"{"),
    "deep JSON": answers(b"[" * 100_000),
    "JSON of another kind": answers(b'["abc"]'),
    "JSON without files": answers(b'{"name": "abc", "meta": {"api-version": "1.0"}}'),
    "another project": answers(b'{"name": "xyz", "files": [], "meta": {"api-version": "1.0"}}'),
    "a later API": answers(b'{"name": "abc", "files": [], "meta": {"api-version": "2.0"}}'),
    "a later API in HTML": answers(b'<meta name="pypi:repository-version" content="2.0">', HTML),
    "a login": answers(b'<html><form action="/login"><a href="/help">Help</a></form></html>', HTML),
    "nothing": answers(b"", HTML),
    "neither HTML nor JSON": answers(b"abc-1.0.tar.gz", "text/plain"),
    "no text": answers(b"\xff\xfe\x00", HTML),
    "an encoding that is none": Fault(headers={"Content-Encoding": "gzip"}),
    "redirects in circles": Fault(location=PAGE),
    "a redirect to a file": Fault(location="file:///etc/passwd"),
    "a redirect to nowhere": Fault(location="http://127.0.0.1:9/"),
    "no end": Fault(body=b" " * 4096, headers={"Content-Type": JSON}, endless=True),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_trouble_with_a_page(mirror: Mirror, upstream: Upstream, fault: Fault) -> None:
    """Who asks for a new name is told what is wrong; who asks for a known one gets what is known, marked as stale."""
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


LISTS = ["500", "cut off", "no JSON", "JSON of another kind", "a login", "nothing", "neither HTML nor JSON"]


@pytest.mark.parametrize("fault", [FAULTS[name] for name in LISTS], ids=LISTS)
def test_trouble_with_the_list(mirror: Mirror, upstream: Upstream, fault: Fault) -> None:
    """A list that cannot be had is an error, never an empty list."""
    upstream.add(WHEEL)
    upstream.faults["/simple/"] = fault

    assert mirror.page().status == 502


@pytest.mark.parametrize(
    "body",
    [b'{"projects": [{"name": 5}]}', b'{"projects": [5]}', b'{"projects": [{"name": "a"}', b'{"projects": 5, "x": []}'],
    ids=["a number", "no object", "cut off", "no list"],
)
def test_a_list_that_is_none(mirror: Mirror, upstream: Upstream, body: bytes) -> None:
    """A list is believed only if all of it is one."""
    upstream.faults["/simple/"] = answers(body)

    assert mirror.page().status == (200 if b'"x"' in body else 502)


def test_an_upstream_that_is_away(mirror: Mirror, upstream: Upstream) -> None:
    """What was seen before is served on; a name that was never seen is 502 with a sentence."""
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
    """One request waits as long as the server is told to; the next ones are answered at once, for half a minute."""
    upstream.add(WHEEL)
    mirror = Mirror(serve(mirror_timeout="1"), "/root/up", mirror_url=upstream.url, mirror_cache_expiry=0)
    known = mirror.page("abc")
    gate = Event()
    upstream.faults["*"] = Fault(gate=gate)

    asked = [mirror.page("xyz"), mirror.page("xyz"), mirror.page("ghi"), mirror.page("abc")]
    gate.set()

    assert [answer.status for answer in asked] == [504, 504, 504, 200]
    assert "does not answer in time" in asked[0].message
    assert (asked[3].content, asked[3].headers["x-wheelgate-stale"]) == (known.content, "true")
    assert upstream.counts() == {PAGE: 1, "/simple/xyz/": 1}


def test_a_body_that_drips_is_not_waited_for(serve: Serve, upstream: Upstream) -> None:
    """A body that stops in the middle is an upstream that does not answer."""
    upstream.add(WHEEL)
    mirror = Mirror(serve(mirror_timeout="1"), "/root/up", mirror_url=upstream.url)
    gate = Event()
    upstream.faults[PAGE] = Fault(gate=gate, gate_at=20)

    answer = mirror.page("abc")
    gate.set()

    assert answer.status == 504


def test_a_connection_that_was_closed_is_no_trouble(mirror: Mirror) -> None:
    """A request that meets a closed connection is sent once more, and the host is not left alone for it."""
    body = b'{"name": "abc", "files": []}'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
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
def test_a_name_that_is_none_is_not_asked_for(mirror: Mirror, upstream: Upstream, name: str) -> None:
    """What cannot be a project's name gets into no address."""
    assert mirror.page(name).status in (302, 400, 404)
    assert upstream.count() == 0


def test_a_broken_page_is_left_alone_for_a_while(mirror: Mirror, upstream: Upstream) -> None:
    """What has failed is not asked for at every request, while other projects of that upstream are."""
    upstream.add(WHEEL)
    upstream.add(distributions.wheel("ghi"))
    upstream.faults[PAGE] = Fault(status=500)

    assert [mirror.page("abc").status for _ in range(3)] == [502] * 3
    assert mirror.page("ghi").status == 200
    assert upstream.count(PAGE) == 1


@pytest.mark.parametrize("told", ["77", "86400", "tomorrow", ""])
def test_an_upstream_may_ask_to_be_left_alone(mirror: Mirror, upstream: Upstream, told: str) -> None:
    """After 429 and 503 nothing of the whole host is asked for, until its time is over or somebody refreshes."""
    upstream.add(WHEEL)
    address = mirror.address(WHEEL)
    upstream.faults["*"] = Fault(status=429, headers={"Retry-After": told})
    mirror.page("xyz")
    upstream.forget()

    assert [mirror.page("ghi").status, mirror.page().status, mirror.page("abc").status] == [502, 502, 200]
    assert mirror.site.request("GET", address).status == 502
    assert upstream.count() == 0

    upstream.faults.clear()
    mirror.refresh("abc")
    assert mirror.site.request("GET", address).content == WHEEL.content


@pytest.mark.parametrize(
    ("told", "wait"),
    [(77.0, 77.0), (86400.0, MAX_BACKOFF_SECONDS), (0.0, 1.0)],
    ids=["asked for", "too long", "too short"],
)
def test_a_pause_has_limits(told: float, wait: float) -> None:
    """A host is left alone for as long as it asks for, but neither for ever nor not at all."""
    backoff = Backoff()
    backoff.note("host", BadUpstream("busy"), told)
    backoff.note("page", BadUpstream("broken"), 0.5)

    failed = backoff.problem("page", "host", "other")

    assert failed is not None
    assert failed[0] == pytest.approx(wait, abs=0.5)
    assert backoff.problem("other") is None


def test_a_stale_base_spoils_no_page(mirror: Mirror, upstream: Upstream, shared: Site, fresh: str) -> None:
    """On an index with two mirrors a project is served from the one that answers."""
    upstream.add(WHEEL)
    away = Mirror(shared, f"/root/{fresh}-away", mirror_url="http://127.0.0.1:9/simple/")
    bases = [away.path.strip("/"), mirror.path.strip("/")]
    shared.request("PUT", f"/root/{fresh}-both", {"bases": bases}, auth=("root", ""))

    answer = shared.request("GET", f"/root/{fresh}-both/+simple/abc/", headers={"Accept": JSON})

    assert (answer.status, answer.headers["x-wheelgate-stale"]) == (200, "true")
    assert [entry["filename"] for entry in answer.json["files"]] == [WHEEL.filename]
    assert shared.request("GET", f"/root/{fresh}-both/+simple/xyz/", headers={"Accept": JSON}).status == 502


def test_only_what_is_allowed_is_asked(serve: Serve, upstream: Upstream) -> None:
    """``--allow-upstream public`` closes this machine: by address when it is set, by name when it is asked for."""
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


def test_a_redirect_leads_nowhere_that_is_not_allowed(serve: Serve, upstream: Upstream) -> None:
    """A redirect is a request like any other."""
    mirror = Mirror(serve(allow_upstream=["127.0.0.1"]), "/root/up", mirror_url=upstream.url)
    upstream.faults[PAGE] = Fault(location="http://127.0.0.2:9/simple/abc/")

    answer = mirror.page("abc")

    assert (answer.status, "'127.0.0.2'" in answer.message) == (403, True)


def test_trouble_is_logged_without_credentials(
    shared: Site, fresh: str, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says which mirror uses an old page, and why; it hides the password in the address."""
    upstream.add(WHEEL)
    url = upstream.url.replace("//", "//ci:swordfish@")
    mirror = Mirror(shared, f"/root/{fresh}", mirror_url=url, mirror_cache_expiry=0)
    mirror.page("abc")
    upstream.stop()

    answer = mirror.page("abc")

    assert answer.headers["x-wheelgate-stale"] == "true"
    assert f"root/{fresh} uses its old page of 'abc'" in caplog.text
    assert "swordfish" not in caplog.text + json.dumps([answer.content.decode(), mirror.page("xyz").message])
