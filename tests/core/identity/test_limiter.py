"""Wrong passwords slow down an address, in general and per user; nobody can lock out users at other addresses."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence

import falcon.testing
import pytest
from tests.helpers.concurrent_requests import conduct

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


def log_in_at_once(site: Site, attempts: Sequence[tuple[str, str, str]]) -> tuple[list[int], list[int]]:
    """Send logins at the same time: user, password and address; return their statuses and the order of the answers."""

    async def act(client: falcon.testing.ASGIConductor) -> tuple[list[int], list[int]]:
        order: list[int] = []

        async def attempt(number: int) -> int:
            user, password, address = attempts[number]
            body = {"user": user, "password": password}
            answer = await client.simulate_post("/+login", json=body, remote_addr=address)
            order.append(number)
            return answer.status_code

        return list(await asyncio.gather(*map(attempt, range(len(attempts))))), order

    return conduct(site, act)


@pytest.mark.parametrize(
    ("attempts", "verified"),
    [
        ([("alice", f"wrong {number}", HERE) for number in range(30)], 5),
        ([(f"user{number}", "wrong", HERE) for number in range(140)], 50),
    ],
    ids=["one user", "many users"],
)
def test_guesses_sent_at_once_are_counted(
    guarded: Site, attempts: Sequence[tuple[str, str, str]], verified: int
) -> None:
    """Of guesses that are sent at once, no more are verified than of guesses that are sent one by one."""
    statuses, _ = log_in_at_once(guarded, attempts)

    assert statuses.count(401) == verified
    assert statuses.count(429) == len(attempts) - verified


def test_right_passwords_sent_at_once_all_count(guarded: Site) -> None:
    """Thirty logins at once with the right password all succeed, although one by one only five may be wrong."""
    statuses, _ = log_in_at_once(guarded, [("alice", "correct horse", HERE)] * 30)

    assert statuses == [200] * 30


def test_guesses_do_not_delay_those_who_have_logged_in(guarded: Site) -> None:
    """Sixty guesses from sixty addresses let a user go first who has logged in before, and a new address after that."""
    assert log_in(guarded, "alice", "correct horse", ELSEWHERE) == 200
    guesses = [("bob", "wrong", f"203.0.113.{number}") for number in range(60)]
    assert all(log_in(guarded, *guess) == 401 for guess in guesses)

    statuses, order = log_in_at_once(
        guarded,
        [*guesses, ("bob", "battery staple", HERE), ("alice", "correct horse", ELSEWHERE)],
    )

    assert statuses == [401] * 60 + [200, 200]
    assert order.index(61) < 15
    assert order.index(60) < 15


@pytest.mark.parametrize(
    ("guessing", "waiting", "free"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("192.0.2.9", "::ffff:192.0.2.9", "::ffff:192.0.2.10"),
        ("fe80::1%eth0", "fe80::2%eth0", "2001:db8::1"),
    ],
)
def test_the_addresses_of_one_host_count_as_one(guarded: Site, guessing: str, waiting: str, free: str) -> None:
    """A host chooses the last 64 bits of its IPv6 address itself; an IPv4 address may be written in IPv6."""
    for number in range(6):
        log_in(guarded, "alice", f"wrong {number}", guessing)

    assert log_in(guarded, "alice", "correct horse", waiting) == 429
    assert log_in(guarded, "alice", "correct horse", free) == 200
