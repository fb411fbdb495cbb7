"""Pauses after failures: a host that makes clients wait gets one, in all workers; one that refuses does not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from tests.helpers import distributions
from tests.helpers.sites import Serve
from tests.helpers.upstream import Fault, Upstream
from tests.plugins.mirror.conftest import Mirror

from wheelgate.testing.site import Site

WHEEL = distributions.wheel("abc", "1.0")


@pytest.mark.parametrize("what", ["page", "stored page", "list", "file", "metadata"])
def test_a_host_that_refused_connections_is_asked_again_at_once(mirror: Mirror, upstream: Upstream, what: str) -> None:
    """While an upstream starts again, requests fail at once; the first one after that succeeds."""
    upstream.add(WHEEL)
    address = mirror.address(WHEEL)
    path = {
        "page": f"{mirror.path}/+simple/xyz/",
        "stored page": f"{mirror.path}/+simple/abc/",
        "list": f"{mirror.path}/+simple/",
        "file": address,
        "metadata": f"{address}.metadata",
    }[what]
    upstream.list_names("xyz")
    upstream.stop()
    while_down = [mirror.site.request("GET", path) for _ in range(2)]
    assert {(answer.status, answer.headers.get("x-wheelgate-stale")) for answer in while_down} == {
        (200, "true") if what == "stored page" else (502, None)
    }

    upstream.start()

    answer = mirror.site.request("GET", path)
    assert (answer.status, answer.headers.get("x-wheelgate-stale")) == (200, None)


def test_an_answer_that_is_cut_off_gets_no_pause(mirror: Mirror, upstream: Upstream) -> None:
    """An upstream that closes the connection in the middle of an answer may be back at once, too."""
    upstream.add(WHEEL)
    upstream.faults["/simple/abc/"] = Fault(cut=20)
    assert mirror.page("abc").status == 502

    upstream.faults.clear()

    assert mirror.page("abc").status == 200


@pytest.fixture
def workers(serve: Serve, tmp_path: Path, upstream: Upstream) -> Iterator[list[Mirror]]:
    """Return a mirror as two workers of one server see it."""
    first = Mirror(serve(mirror_timeout="1"), "/root/up", mirror_url=upstream.url, mirror_cache_expiry=0)
    with Site(tmp_path / "server", mirror_timeout="1") as other:
        second = Mirror(other, "/root/second", mirror_url=upstream.url, mirror_cache_expiry=0)
        second.path = first.path
        yield [first, second]


FAILURES = {
    "silent": (Fault(gate=Event()), 504, {"/simple/abc/": 1}),
    "busy": (Fault(status=503), 502, {"/simple/abc/": 1}),
    "broken": (Fault(status=500), 502, {"/simple/abc/": 1, "/simple/xyz/": 1}),
}


@pytest.mark.parametrize(("fault", "status", "asked"), FAILURES.values(), ids=FAILURES)
def test_workers_share_pauses(
    workers: list[Mirror], upstream: Upstream, fault: Fault, status: int, asked: dict[str, int]
) -> None:
    """All workers answer alike: one of them has waited for the upstream, and a refresh on any of them asks again."""
    upstream.add(WHEEL)
    upstream.faults["*"] = fault
    first, second = workers

    pages = [first.page("abc"), second.page("abc"), first.page("abc"), second.page("xyz"), first.page("xyz")]

    assert [(answer.status, bool(answer.message)) for answer in pages] == [(status, True)] * 5
    assert upstream.counts() == asked
    if fault.gate is not None:
        fault.gate.set()
    upstream.faults.clear()
    second.refresh("abc")
    assert [worker.page("abc").status for worker in workers] == [200, 200]


def test_pauses_do_not_depend_on_the_clock(workers: list[Mirror], upstream: Upstream, tmp_path: Path) -> None:
    """A pause that ends later than any can, because the clock was ahead, counts as over."""
    upstream.add(WHEEL)
    upstream.faults["*"] = Fault(status=503)
    assert workers[0].page("abc").status == 502
    upstream.faults.clear()

    with sqlite3.connect(tmp_path / "server" / "wheelgate.db") as database:
        database.execute("UPDATE mirror_pause SET until = until + 86400")
    database.close()

    assert workers[1].page("abc").status == 200


OTHER_MIRRORS = {
    "another path": (lambda upstream: f"{upstream.root}slow/", 200),
    "another login": (lambda upstream: upstream.url.replace("//", "//me:wrong@"), 200),
    "a redirect from another path": (lambda upstream: f"{upstream.root}redirect/", 200),
    "the same": (lambda upstream: upstream.url, 502),
}


@pytest.mark.parametrize(("url", "status"), OTHER_MIRRORS.values(), ids=OTHER_MIRRORS)
def test_a_mirror_cannot_stop_others_of_its_host(
    mirror: Mirror, upstream: Upstream, fresh: str, url: Callable[[Upstream], str], status: int
) -> None:
    """Mirrors share the pauses of a host only if they ask it for the same, with the same login."""
    upstream.add(WHEEL)
    other = Mirror(mirror.site, f"/root/{fresh}-other", mirror_url=url(upstream), mirror_cache_expiry=0)
    upstream.faults = {"/redirect/abc/": Fault(location="/slow/abc/"), "*": Fault(status=503)}
    assert other.page("abc").status == 502
    upstream.faults.clear()

    assert mirror.page("abc").status == status
