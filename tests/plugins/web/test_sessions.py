"""Signing in and out in a browser: the cookie, where it counts, and what other sites cannot do with it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from tests.helpers.sites import Serve
from tests.helpers.web_clients import BROWSERS

from wheelgate.testing.site import Response, Site

CHROMIUM = BROWSERS["chromium"]
OWN = {**CHROMIUM, "Origin": "http://localhost"}
PASSWORD = "correct horse"


@pytest.fixture
def site(serve: Serve) -> Site:
    """Return a server with a user."""
    site = serve()
    site.add_user("alice")
    return site


def post(site: Site, path: str, fields: dict[str, str], cookie: str = "", **headers: str) -> Response:
    """Send a form as a browser does."""
    sent = {**OWN, "Content-Type": "application/x-www-form-urlencoded", **headers}
    if cookie:
        sent["Cookie"] = cookie
    return site.request("POST", path, urlencode(fields).encode(), headers=sent)


def sign_in(site: Site, name: str = "alice", password: str = PASSWORD, **headers: str) -> str:
    """Sign in, and return the cookie."""
    answer = post(site, "/+x/web/sign-in", {"user": name, "password": password}, **headers)
    assert answer.status == 303, answer.content
    return str(answer.headers["set-cookie"].partition(";")[0])


def who(site: Site, cookie: str, **headers: str) -> Any:
    """Return the name that the server knows a browser by."""
    return site.request("GET", "/+api", headers={"Cookie": cookie, **headers}).result["authstatus"][1]


@pytest.mark.parametrize(
    ("options", "headers", "name", "secure"),
    [
        ({}, {}, "wheelgate_session", ""),
        (
            {"outside_url": "https://packages.example"},
            {"Origin": "https://packages.example"},
            "__Host-wheelgate_session",
            "; Secure",
        ),
    ],
    ids=["http", "https"],
)
def test_the_cookie(serve: Serve, options: dict[str, str], headers: dict[str, str], name: str, secure: str) -> None:
    """Scripts and other hosts cannot read it, and it lasts no longer than the login."""
    site = serve(**options)
    root = ("root", site.config["root-passwd"] or "")
    site.request("PUT", "/alice", {"password": PASSWORD}, auth=root)

    answer = post(site, "/+x/web/sign-in", {"user": "alice", "password": PASSWORD, "next": "/alice"}, **headers)

    assert (answer.status, answer.headers["location"]) == (303, "/alice?done=signed-in")
    assert answer.headers["cache-control"] == "no-store"
    cookie, _, attributes = answer.headers["set-cookie"].partition("; ")
    assert (cookie.partition("=")[0], attributes) == (
        name,
        f"Path=/; Max-Age=36000; HttpOnly; SameSite=Lax{secure}",
    )
    assert who(site, cookie) == "alice"


@pytest.mark.parametrize("ending", ["sign out", "password", "deletion"])
def test_what_ends_a_session(site: Site, ending: str) -> None:
    """A session ends on the server; the cookie is then worth nothing, and no error."""
    cookie = sign_in(site)
    if ending == "sign out":
        answer = post(site, "/+x/web/sign-out", {}, cookie)
        assert (answer.status, "Max-Age=0" in answer.headers["set-cookie"]) == (303, True)
    elif ending == "password":
        site.request("PATCH", "/alice", {"password": "another horse"}, auth=("root", ""))
    else:
        site.request("DELETE", "/alice", auth=("root", ""))

    assert who(site, cookie) == ""
    page = site.request("GET", "/", headers={**CHROMIUM, "Cookie": cookie})
    assert (page.status, b"Sign in" in page.content) == (200, True)


@pytest.mark.parametrize(
    "value", ["", "nonsense", "wgs_x.y.z", "root:", "wgt_" + "a" * 60, '"', "a" * 8000], ids=lambda value: value[:12]
)
def test_nonsense_in_the_cookie_is_anonymous(site: Site, value: str) -> None:
    """It is no login, no error, and no guess at a password."""
    for _ in range(30):
        assert who(site, f"wheelgate_session={value}") == ""
    assert site.login("alice", PASSWORD)


def test_every_other_credential_goes_before_the_cookie(site: Site) -> None:
    """Programs send their credentials on purpose, a browser its cookie on its own."""
    cookie, bob = sign_in(site), site.add_user("bob")

    answer = site.request("GET", "/+api", auth=bob, headers={"Cookie": cookie})

    assert answer.result["authstatus"][1] == "bob"


def test_each_login_has_a_cookie_of_its_own(site: Site) -> None:
    """Signing in again makes a new session."""
    assert sign_in(site) != sign_in(site)


UNPROVEN: list[dict[str, str]] = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:8080"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {},
]


@pytest.mark.parametrize("proof", UNPROVEN, ids=repr)
def test_other_sites_can_do_nothing(site: Site, proof: dict[str, str]) -> None:
    """Changes by cookie, signing in and signing out need the proof that a page of this server sent them."""
    cookie = sign_in(site)
    sent = {**CHROMIUM, "Cookie": cookie, **proof}
    form = {**sent, "Content-Type": "application/x-www-form-urlencoded"}
    login = urlencode({"user": "alice", "password": PASSWORD}).encode()

    assert site.request("PATCH", "/alice", {"title": "x"}, headers=sent).status == 403
    assert site.request("POST", "/+logout", headers=sent).status == 403
    assert site.request("POST", "/+x/web/sign-in", login, headers=form).status == 403
    assert site.request("POST", "/+x/web/sign-out", b"", headers=form).status == 403
    assert who(site, cookie) == "alice"


def test_reading_by_cookie_needs_no_proof(site: Site) -> None:
    """A link on another site leads to the page, signed in."""
    cookie = sign_in(site)

    page = site.request("GET", "/", headers={**CHROMIUM, "Cookie": cookie, "Sec-Fetch-Site": "cross-site"})

    assert b"Sign out" in page.content
    assert page.headers["cache-control"].startswith("no-store")


@pytest.mark.parametrize(
    ("given", "leads_to"),
    [
        ("/alice/dev?page=2", "/alice/dev?page=2"),
        ("/grüße", "/gr%C3%BC%C3%9Fe"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a//b", "/"),
        ("\\\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/\r\nSet-Cookie: x=1", "/"),
        (" /alice", "/"),
    ],
)
def test_where_signing_in_leads(site: Site, given: str, leads_to: str) -> None:
    """It leads to a path of this server, never elsewhere."""
    answer = post(site, "/+x/web/sign-in", {"user": "alice", "password": PASSWORD, "next": given})

    done = f"{'&' if '?' in leads_to else '?'}done=signed-in"
    assert (answer.status, answer.headers["location"]) == (303, leads_to + done)


def test_a_wrong_password(site: Site) -> None:
    """The form comes back with the sentence of the API and the name, but without the password."""
    answer = post(site, "/+x/web/sign-in", {"user": "<b>alice", "password": "wrong horse"})

    said = site.request("POST", "/+login", {"user": "<b>alice", "password": "wrong horse"})
    assert (answer.status, said.status) == (401, 401)
    assert b'role="alert"' in answer.content
    assert b'value="&lt;b&gt;alice"' in answer.content
    assert b"wrong horse" not in answer.content
    assert "www-authenticate" not in answer.headers
    assert "set-cookie" not in answer.headers


def test_too_many_wrong_passwords(site: Site) -> None:
    """The limiter of the API slows down the form, and says for how long."""
    for _ in range(20):
        answer = post(site, "/+x/web/sign-in", {"user": "alice", "password": "wrong horse"})

    assert answer.status == 429
    assert int(answer.headers["retry-after"]) > 0


def test_a_closed_server_offers_the_form_and_nothing_else(serve: Serve) -> None:
    """With ``--require-login`` every page is the form, until somebody signs in."""
    site = serve()
    site.add_user("alice")
    site = serve(require_login=True)

    refused = site.request("GET", "/", headers=CHROMIUM)
    assert (refused.status, b'type="password"' in refused.content, b"alice" in refused.content) == (401, True, False)
    assert site.request("GET", "/+x/web/sign-in", headers=CHROMIUM).status == 200
    assert b"alice" in site.request("GET", "/", headers={**CHROMIUM, "Cookie": sign_in(site)}).content
