"""``--require-login``: a server that answers only logged-in users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from wheelgate.testing.site import Site

ROOT = ("root", "")


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a server with ``--require-login`` and a public index."""
    with Site(tmp_path_factory.mktemp("closed"), require_login=True) as site:
        site.add_user("alice", "correct horse")
        assert site.request("PUT", "/alice/dev", {}, auth=("alice", "correct horse")).status == 200
        yield site


@pytest.fixture(scope="module")
def ended(closed: Site) -> tuple[str, str]:
    """Return a login token whose session has ended."""
    login = closed.login("alice", "correct horse")
    assert closed.request("POST", "/+logout", auth=login).status == 200
    return login


REQUESTS: list[tuple[str, str, Any]] = [
    ("GET", "/", None),
    ("GET", "//+api", None),
    ("GET", "/alice", None),
    ("PUT", "/mallory", {"password": "correct horse"}),
    ("GET", "/alice/+api", None),
    ("GET", "/alice/dev/+api", None),
    ("GET", "/alice/dev", None),
    ("GET", "/alice/nothing", None),
    ("GET", "/alice/dev/+simple", None),
    ("GET", "/alice/dev/+simple/", None),
    ("GET", "/alice/dev/+simple/Demo/", None),
    ("GET", "/alice/dev/+f/abc/def/demo-1.0.zip", None),
    ("POST", "/alice/dev/", b"form"),
    ("GET", "/+status", None),
    ("GET", "/+openapi", None),
    ("POST", "/+logout", None),
    ("GET", "/+x/nothing", None),
    ("GET", "/+nothing", None),
    ("OPTIONS", "/alice", None),
    ("BREW", "/alice", None),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_requests_without_a_login_are_refused(closed: Site, method: str, path: str, body: Any) -> None:
    """Without a login every address answers 401, even unknown ones; installers then send their credentials."""
    refused = closed.request(method, path, body)

    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Basic realm="pypi"')
    assert refused.message == "not logged in: this server answers only logged-in users"


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_an_ended_login_is_refused(closed: Site, ended: tuple[str, str], method: str, path: str, body: Any) -> None:
    """Credentials that are not valid any more are refused with the reason."""
    refused = closed.request(method, path, body, auth=ended)

    assert (refused.status, refused.message) == (401, "this login has ended; log in again")


def test_login_is_possible(closed: Site) -> None:
    """A client learns where to log in, and logs in."""
    assert closed.request("GET", "/+api").status == 200
    assert closed.request("GET", "/+api/").status == 200
    assert closed.login("alice", "correct horse")[0] == "alice"


@pytest.mark.parametrize("path", ["/", "/alice", "/alice/dev", "/alice/dev/+simple/", "/+status", "/+openapi"])
def test_users_are_answered(closed: Site, path: str) -> None:
    """Users who are logged in get answers, and no shared cache may store them."""
    answer = closed.request("GET", path, auth=("alice", "correct horse"))

    assert answer.status == 200
    assert "private" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("uri", "anonymous"),
    [(None, 401), ("/", 401), ("/alice/dev/+simple/", 401), ("/+x/y", 401), ("/+api", 200), ("/+login", 200)],
)
def test_authcheck_agrees(closed: Site, uri: str | None, anonymous: int) -> None:
    """``+authcheck`` lets a request of a proxy's client through if the address itself would answer it."""
    headers = {} if uri is None else {"X-Original-URI": uri}

    assert closed.request("GET", "/+authcheck", headers=headers).status == anonymous
    assert closed.request("GET", "/+authcheck", headers=headers, auth=ROOT).status == 200
