"""Wrong passwords slow down an address, in general and per user; nobody can lock out users at other addresses."""

from __future__ import annotations

import base64

import pytest

from wheelgate.testing.site import Site

ROOT = ("root", "")
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.1"


@pytest.fixture
def guarded(site: Site) -> Site:
    """Return a server with two users."""
    site.add_user("alice", "correct horse")
    site.add_user("bob", "battery staple")
    return site


def log_in(site: Site, user: str, password: str, address: str = HERE) -> int:
    """Try to log in and return the status."""
    return site.request("POST", "/+login", {"user": user, "password": password}, address=address).status


def with_header(site: Site, user: str, password: str, address: str = HERE) -> int:
    """Try to change root with a password in the header, and return the status."""
    return site.request("PATCH", "/root", {"title": "x"}, auth=(user, password), address=address).status


def with_basic(site: Site, user: str, password: str, address: str = HERE) -> int:
    """Do the same with Basic."""
    headers = {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
    return site.request("PATCH", "/root", {"title": "x"}, headers=headers, address=address).status


WAYS = {"login": log_in, "X-Devpi-Auth": with_header, "Basic": with_basic}


@pytest.mark.parametrize("attempt", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("user", ["alice", "nobody"])
def test_guesses_have_to_wait(guarded: Site, attempt: object, user: str) -> None:
    """After five wrong passwords the next guess gets 429, whether the user exists or not."""
    statuses = [attempt(guarded, user, f"wrong {number}") for number in range(7)]  # type: ignore[operator]

    assert statuses == [401] * 5 + [429] * 2


def test_the_answer_says_how_long(guarded: Site) -> None:
    """``Retry-After`` has the seconds; the right password has to wait as well, so that a guess learns nothing."""
    for _ in range(5):
        log_in(guarded, "alice", "wrong")

    refused = guarded.request("POST", "/+login", {"user": "alice", "password": "correct horse"}, address=HERE)

    assert refused.status == 429
    assert refused.headers["retry-after"] == "1"
    assert refused.message == "too many wrong passwords; try again in 1 seconds"


@pytest.mark.parametrize("attempt", WAYS.values(), ids=WAYS)
def test_the_ways_count_together(guarded: Site, attempt: object) -> None:
    """Guesses by login, by header and by Basic count together."""
    for _ in range(5):
        attempt(guarded, "alice", "wrong")  # type: ignore[operator]

    assert [way(guarded, "alice", "wrong") for way in WAYS.values()] == [429] * 3


def test_nobody_is_locked_out_from_elsewhere(guarded: Site) -> None:
    """The same user at another address, and another user at the same address, need not wait."""
    for _ in range(7):
        log_in(guarded, "alice", "wrong")

    assert log_in(guarded, "alice", "correct horse", ELSEWHERE) == 200
    assert log_in(guarded, "bob", "battery staple", HERE) == 200
    assert log_in(guarded, "alice", "correct horse", HERE) == 429


def test_an_open_session_need_not_wait(guarded: Site) -> None:
    """A login token, and a password that was verified a moment ago, keep working while somebody guesses."""
    token = guarded.login("alice", "correct horse")
    assert with_header(guarded, "alice", "correct horse") == 403
    for _ in range(7):
        log_in(guarded, "alice", "wrong")

    for auth in (token, ("alice", "correct horse")):
        assert guarded.request("PATCH", "/alice", {"title": "x"}, auth=auth, address=HERE).status == 200


def test_the_right_password_clears(guarded: Site) -> None:
    """The right password resets the count."""
    for _ in range(3):
        assert [log_in(guarded, "alice", "wrong") for _ in range(4)] == [401] * 4
        assert log_in(guarded, "alice", "correct horse") == 200


def test_one_address_may_not_try_many_users(guarded: Site) -> None:
    """After fifty failures for any users an address has to wait, and no other address has."""
    statuses = [log_in(guarded, f"user{number}", "wrong") for number in range(52)]

    assert statuses == [401] * 50 + [429] * 2
    assert log_in(guarded, "alice", "correct horse", HERE) == 429
    assert log_in(guarded, "alice", "correct horse", ELSEWHERE) == 200


def test_the_right_password_clears_no_address(guarded: Site) -> None:
    """Logging in to one's own account does not reset the count of the address."""
    for number in range(50):
        log_in(guarded, f"user{number}", "wrong")
        if number == 25:
            assert log_in(guarded, "alice", "correct horse") == 200

    assert log_in(guarded, "user0", "wrong") == 429


def test_what_has_to_wait_can_still_read(guarded: Site) -> None:
    """Requests that need a permission get 429; public pages are still served."""
    for _ in range(6):
        with_header(guarded, "alice", "wrong")

    answer = guarded.request("GET", "/alice", auth=("alice", "wrong"), address=HERE)

    assert answer.status == 200
