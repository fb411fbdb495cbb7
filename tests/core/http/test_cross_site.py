"""Requests that another site's page makes a browser send: credentials that the browser adds change nothing here."""

from __future__ import annotations

import base64

import pytest

from wheelgate.testing.site import Site

BASIC = {"Authorization": f"Basic {base64.b64encode(b'root:').decode()}"}
DEVPI = {"X-Devpi-Auth": base64.b64encode(b"root:").decode()}
SENTENCE = "a page of another site may not change anything here in your name"

FOREIGN = [
    pytest.param({"Sec-Fetch-Site": "cross-site"}, id="cross-site"),
    pytest.param({"Sec-Fetch-Site": "same-site"}, id="a neighbour of the same site"),
    pytest.param({"Sec-Fetch-Site": "nonsense"}, id="nonsense"),
    pytest.param({"Origin": "https://evil.example"}, id="foreign origin"),
    pytest.param({"Origin": "http://pypi.localhost:81"}, id="another port"),
    pytest.param({"Origin": "null"}, id="null origin"),
    pytest.param({"Origin": "http://[evil"}, id="half a bracket"),
    pytest.param({"Origin": "http://evil.example/http://packages.example"}, id="an address with a path"),
    pytest.param({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, id="contradicting"),
]
OWN = [
    pytest.param({}, id="no browser"),
    pytest.param({"Sec-Fetch-Site": "none"}, id="typed by the user"),
    pytest.param({"Sec-Fetch-Site": "same-origin", "Origin": "http://pypi.localhost"}, id="a page of ours"),
]
CHANGES = [
    ("PATCH", "/root", {"title": "x"}),
    ("DELETE", "/root", None),
    ("PUT", "/root/dev", {}),
    ("PATCH", "/root/pypi", {}),
    ("DELETE", "/root/pypi", None),
    ("POST", "/+logout", None),
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=[f"{row[0]} {row[1]}" for row in CHANGES])
def test_a_page_of_another_site_changes_nothing(
    shared: Site, method: str, path: str, body: object, headers: dict[str, str]
) -> None:
    """A change with Basic credentials from another site is refused before anything else is checked."""
    sent = {"Host": "pypi.localhost", **BASIC, **headers}

    refused = shared.request(method, path, body, headers=sent)

    assert (refused.status, refused.message) == (403, SENTENCE)


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/", "/root", "/+api", "/root/pypi"])
def test_reading_is_allowed(shared: Site, path: str, headers: dict[str, str]) -> None:
    """Reading is allowed: without CORS the other site's page cannot see the answer."""
    answer = shared.request("GET", path, headers={"Host": "pypi.localhost", **BASIC, **headers})

    assert answer.status == 200
    assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("headers", OWN)
def test_own_pages_and_tools_may_change_things(shared: Site, headers: dict[str, str]) -> None:
    """Requests of own pages and of tools may change things with Basic credentials."""
    sent = {"Host": "pypi.localhost", **BASIC, **headers}

    assert shared.request("PATCH", "/root", {"title": "x"}, headers=sent).status == 200


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_header_that_no_browser_adds_is_allowed(shared: Site, headers: dict[str, str]) -> None:
    """Only a program can set ``X-Devpi-Auth``, so it is allowed; a request without credentials is asked for them."""
    assert shared.request("PATCH", "/root", {"title": "x"}, headers={**DEVPI, **headers}).status == 200
    assert shared.request("PATCH", "/root", {"title": "x"}, headers=headers).status == 401
