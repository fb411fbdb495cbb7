"""A server on loopback behind a proxy that no setting names: it notices, and closes internal addresses."""

from __future__ import annotations

import logging

import pytest
from tests.helpers.sites import Serve
from tests.helpers.upstream import Upstream, upstream  # noqa: F401

ROOT = ("root", "")
MIRROR = "/root/internal"


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"X-Forwarded-For": "192.0.2.1"}, "127.0.0.1"),
        ({"Forwarded": "for=192.0.2.1"}, "127.0.0.1"),
        ({"Via": "1.1 proxy.example"}, "127.0.0.1"),
        ({"Host": "packages.example"}, "127.0.0.1"),
        ({}, "192.0.2.1"),
    ],
    ids=str,
)
def test_a_request_through_a_proxy_closes_internal_addresses(
    serve: Serve,
    upstream: Upstream,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    headers: dict[str, str],
    address: str,
) -> None:
    """From this request on, no upstream that is not public is asked or configured, and the log says what to set."""
    site = serve()
    upstream.list_names("abc", "xyz")
    created = site.request("PUT", MIRROR, {"type": "mirror", "mirror_url": upstream.url}, auth=ROOT)
    assert (created.status, site.request("GET", f"{MIRROR}/+simple/abc/").status) == (200, 200)
    upstream.forget()

    with caplog.at_level(logging.WARNING):
        through_proxy = site.request("GET", f"{MIRROR}/+simple/xyz/", headers=headers, address=address)
        local = site.request("GET", f"{MIRROR}/+simple/other/")
        other = site.request("PUT", "/root/other", {"type": "mirror", "mirror_url": upstream.url}, auth=ROOT)

    assert [answer.status for answer in (through_proxy, local, other)] == [403] * 3
    assert upstream.count() == 0
    (entry,) = [record.message for record in caplog.records if "came through a proxy" in record.message]
    assert "--trusted-proxy" in entry
    assert "--allow-upstream" in entry


def test_a_network_that_is_opened_stays_open(serve: Serve, upstream: Upstream) -> None:  # noqa: F811
    """``--allow-upstream`` opens networks whatever the requests are."""
    site = serve(allow_upstream="127.0.0.0/8")
    upstream.list_names("abc")
    assert site.request("PUT", MIRROR, {"type": "mirror", "mirror_url": upstream.url}, auth=ROOT).status == 200

    assert site.request("GET", f"{MIRROR}/+simple/abc/", headers={"Via": "1.1 proxy.example"}).status == 200
