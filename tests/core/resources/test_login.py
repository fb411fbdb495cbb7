"""``+login`` and ``+logout`` begin and end sessions."""

from __future__ import annotations

import pytest

from wheelgate.testing.site import Site

ROOT = ("root", "")


def test_a_login_hands_out_a_token(shared: Site) -> None:
    """The right password gets a token and its lifetime in seconds, and no cache may store the answer."""
    login = shared.request("POST", "/+login", {"user": "root", "password": ""})

    assert login.status == 200
    assert login.headers["cache-control"] == "no-store"
    assert (login.json["type"], login.message) == ("proxyauth", "login successful")
    assert set(login.result) == {"password", "expiration"}
    assert login.result["expiration"] == 36000
    assert shared.request("GET", "/+api", auth=("root", login.result["password"])).result["authstatus"][0] == "ok"


def test_two_logins_hand_out_two_tokens(shared: Site) -> None:
    """Each login begins its own session, so one can end without the others."""
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
    """An unknown user and a wrong password get the same answer: 401, a challenge and no hint."""
    site.add_user("alice", "correct horse")

    refused = site.request("POST", "/+login", {"user": user, "password": password})

    assert (refused.status, refused.message) == (401, f"user '{user}' could not be authenticated")
    assert refused.headers["www-authenticate"] == 'Basic realm="pypi"'
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
def test_malformed_logins(shared: Site, body: object, sentence: str) -> None:
    """A malformed login answers 400 and does not count as an attempt."""
    for _ in range(6):
        refused = shared.request("POST", "/+login", body)

        assert (refused.status, refused.message) == (400, sentence)


def test_logout_ends_this_session_and_no_other(site: Site) -> None:
    """The token of the request stops working; the user's other tokens go on."""
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
    """A request without a login token cannot end a session."""
    refused = shared.request("POST", "/+logout", auth=auth)

    assert (refused.status, refused.message) == (401, sentence)


@pytest.mark.parametrize("marks", [2_100, 6_200, 400_000])
@pytest.mark.parametrize(("method", "path"), [("POST", "/+login"), ("PUT", "/emilie"), ("PATCH", "/root")])
def test_a_password_of_combining_marks_is_refused_at_once(shared: Site, method: str, path: str, marks: int) -> None:
    """To normalise 400,000 marks takes two minutes, in which the server would answer nobody."""
    password = '"password": "a' + "\u0315\u0300" * (marks // 2) + '"'
    body = f"{{{password}}}" if method != "POST" else f'{{"user": "root", {password}}}'

    refused = shared.request(method, path, body.encode(), auth=ROOT)

    assert (refused.status, refused.message) == (400, "'password' must have at most 4096 bytes")


def test_a_password_may_be_shorter_in_its_normal_form(site: Site) -> None:
    """A password of 4,095 bytes in NFC may be sent in the form of decomposed syllables, of 12,285 bytes."""
    decomposed, composed = "\u1112\u1161\u11ab" * 1365, "\ud55c" * 1365
    assert site.request("PUT", "/emilie", {"password": decomposed}, auth=ROOT).status == 201

    answer = site.request("POST", "/+login", {"user": "emilie", "password": composed})

    assert answer.status == 200
