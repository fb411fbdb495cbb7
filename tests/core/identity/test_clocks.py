"""Logins and the clock: small differences do not matter, and nothing that has ended lives again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest
from tests.helpers.sites import Serve

from wheelgate.testing.site import Site

HOUR, DAY, YEAR = 3600, 86_400, 400 * 86_400

SetClock = Callable[[float], None]


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Return a function that sets the clock to a number of seconds from now."""
    real = time.time

    def shift(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + seconds)

    return shift


def status(site: Site, auth: tuple[str, str]) -> str:
    """Return what the server says about a login."""
    return str(site.request("GET", "/+api", auth=auth).result["authstatus"][0])


@pytest.mark.parametrize("worker", ["same", "new"])
@pytest.mark.parametrize(
    "course",
    [
        pytest.param([0], id="no change"),
        pytest.param([DAY + 11 * HOUR, 0], id="a day and a login"),
        pytest.param([YEAR, 0], id="a year"),
        pytest.param([YEAR, 0, YEAR, 0, 2 * YEAR, 0], id="again and again"),
        pytest.param([YEAR, YEAR + 11 * HOUR, YEAR + 22 * HOUR, 0], id="for a long time"),
        pytest.param([-YEAR, YEAR, 0], id="back and forward"),
        pytest.param([YEAR, 60 * HOUR, 30 * HOUR, 0], id="back in steps"),
    ],
)
def test_an_ended_login_stays_ended(serve: Serve, set_clock: SetClock, course: Sequence[int], worker: str) -> None:
    """A login that was ended stays ended however the clock changes while other logins end."""
    site = serve()
    alice = site.add_user("alice")
    assert site.request("POST", "/+logout", auth=alice).status == 200

    for shift in course:
        set_clock(shift)
        site = serve() if worker == "new" else site
        for _ in range(2):
            assert site.request("POST", "/+logout", auth=site.login("alice", "correct horse")).status == 200

    assert status(site, alice) == "noauth"
    assert status(site, site.login("alice", "correct horse")) == "ok"


def test_an_ended_login_stays_ended_with_a_longer_lifetime(serve: Serve, set_clock: SetClock) -> None:
    """A longer lifetime in the settings does not revive a login that was ended under a shorter one."""
    site = serve(session_lifetime="1h")
    ended = site.add_user("alice")
    site.request("POST", "/+logout", auth=ended)
    for day in (3, 6, 9):
        set_clock(day * DAY)
        site.request("POST", "/+logout", auth=site.login("alice", "correct horse"))

    assert status(serve(session_lifetime="100d"), ended) == "noauth"


@pytest.mark.parametrize(
    ("ahead", "outcome"),
    [(0, "ok"), (30, "ok"), (58, "ok"), (62, "noauth"), (HOUR, "noauth"), (YEAR, "noauth")],
)
def test_a_clock_may_be_a_minute_ahead(serve: Serve, set_clock: SetClock, ahead: int, outcome: str) -> None:
    """A login that was made while the clock was up to a minute ahead is valid; one from a later time is not."""
    site = serve()
    site.add_user("alice")
    set_clock(ahead)
    alice = site.login("alice", "correct horse")
    changed = site.request("PATCH", "/alice", {"password": "battery staple"}, auth=alice).result["password"]

    set_clock(0)

    assert [status(site, ("alice", changed)), status(serve(), ("alice", changed))] == [outcome] * 2
