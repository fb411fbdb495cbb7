"""``+login`` and ``+logout``: sessions begin and end."""

from __future__ import annotations

import pytest

from wheelgate.testing.site import Site

ROOT = ("root", "")


def test_a_login_hands_out_a_token(shared: Site) -> None:
    """The right password is answered with a token, its lifetime in seconds, and a word that no cache may keep it."""
    login = shared.request("POST", "/+login", {"user": "root", "password": ""})

    assert login.status == 200
    assert login.headers["cache-control"] == "no-store"
    assert (login.json["type"], login.message) == ("proxyauth", "login successful")
    assert set(login.result) == {"password", "expiration"}
    assert login.result["expiration"] == 36000
    assert shared.request("GET", "/+api", auth=("root", login.result["password"])).result["authstatus"][0] == "ok"


def test_two_logins_hand_out_two_tokens(shared: Site) -> None:
    """Each login is a session of its own, so that one can end without the others."""
    assert shared.login("root", "") != shared.login("root", "")


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("nobody", "correct horse"),
        ("alice", "wrong"),
        ("alice", ""),
        ("ALICE", "correct horse"),
        ("alice ", "x"),
        ("", "x"),
    ],
    ids=["unknown user", "wrong password", "empty password", "another case", "space", "no name"],
)
def test_a_failed_login_says_nothing_about_the_user(site: Site, user: str, password: str) -> None:
    """Unknown user and wrong password are answered alike, with 401, a challenge and no hint."""
    site.add_user("alice", "correct horse")

    refused = site.request("POST", "/+login", {"user": user, "password": password})

    assert (refused.status, refused.message) == (401, f"user '{user}' could not be authenticated")
    assert refused.headers["www-authenticate"] == 'Basic realm="wheelgate"'
    assert refused.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "Bad request: no user/password specified"),
        ({"user": "root"}, "Bad request: no user/password specified"),
        ({"password": ""}, "Bad request: no user/password specified"),
        ({"user": None, "password": ""}, "Bad request: no user/password specified"),
        ({"user": "root", "password": None}, "Bad request: no user/password specified"),
        ({"user": 5, "password": ""}, "'user' and 'password' must be text"),
        ({"user": "root", "password": ["x"]}, "'user' and 'password' must be text"),
        ({"user": "root", "password": "", "x": 1}, "the body must contain 'user' and 'password' and nothing else"),
        ([], "the body must be a JSON object with 'user' and 'password'"),
        ("root", "the body must be a JSON object with 'user' and 'password'"),
        ({"user": "root", "password": "x" * 4097}, "'password' must have at most 4096 bytes"),
        ({"user": "x" * 101, "password": ""}, "'user' must have at most 100 characters"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_bodies_that_are_no_login(shared: Site, body: object, sentence: str) -> None:
    """What cannot be a login is 400, and counts as no attempt."""
    for _ in range(6):
        refused = shared.request("POST", "/+login", body)

        assert (refused.status, refused.message) == (400, sentence)


def test_logout_ends_this_session_and_no_other(site: Site) -> None:
    """The token that the request carries is worth nothing from now on; the user's other ones go on."""
    one, two = site.add_user("alice", "correct horse"), site.login("alice", "correct horse")

    ended = site.request("POST", "/+logout", auth=one)

    assert (ended.status, ended.json) == (200, {"message": "logged out"})
    assert site.request("GET", "/+api", auth=one).result["authstatus"] == ["noauth", "", []]
    assert site.request("GET", "/+api", auth=two).result["authstatus"] == ["ok", "alice", []]
    again = site.request("POST", "/+logout", auth=one)
    assert (again.status, again.message) == (401, "this login has ended; log in again")


@pytest.mark.parametrize(
    ("auth", "sentence"),
    [
        (None, "there is no login to end: the request carries no login token"),
        (ROOT, "there is no login to end: the request carries no login token"),
        (("root", "wrong"), "user 'root' could not be authenticated"),
    ],
    ids=["anonymous", "password", "wrong password"],
)
def test_logout_needs_a_session(shared: Site, auth: tuple[str, str] | None, sentence: str) -> None:
    """Who has no token cannot end one."""
    refused = shared.request("POST", "/+logout", auth=auth)

    assert (refused.status, refused.message) == (401, sentence)
