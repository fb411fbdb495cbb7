"""The last use of a token: recorded once an hour, outside the request, shown to the user and sent as an event."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from time import monotonic
from types import SimpleNamespace

import pytest
from tests.helpers.sites import Serve
from tests.plugins.tokens.conftest import TokenOwner, basic, bearer, identifier, status

from wheelgate import Event, hookimpl
from wheelgate.testing.site import Site
from wheelgate_tokens.queries import TokenTable

RECORDING_TIMEOUT_SECONDS = 10


def last_used(owner: TokenOwner, secret: str) -> str | None:
    """Return the time of a token's last use, as its user sees it."""
    shown: str | None = owner.site.request("GET", f"/+x/tokens/{identifier(secret)}", auth=owner.auth).result[
        "last_used"
    ]
    return shown


def recorded(owner: TokenOwner, secret: str, before: str | None) -> str:
    """Wait until a use is recorded, and return its time."""
    deadline = time.monotonic() + RECORDING_TIMEOUT_SECONDS
    while (shown := last_used(owner, secret)) in (None, before):
        assert time.monotonic() < deadline, "the use is not recorded"
        time.sleep(0.01)
    return str(shown)


def serial(site: Site) -> int:
    """Return the change counter."""
    return int(site.server.database.serial())


def test_use_is_recorded_once_an_hour(alone: TokenOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request is recorded, the next hundred change nothing, and one in the next hour is recorded again."""
    _, secret = alone.token("read")
    assert last_used(alone, secret) is None

    status(alone.site, bearer(secret))
    first = recorded(alone, secret, None)
    before = serial(alone.site)
    for _ in range(100):
        status(alone.site, bearer(secret))
    assert serial(alone.site) == before

    database, now = alone.site.server.database, time.time()
    with database.transaction():
        database.write("UPDATE tokens_token SET last_used = last_used - 3600")
    aged = last_used(alone, secret)
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    monkeypatch.setattr("wheelgate.caches.time", SimpleNamespace(monotonic=lambda: monotonic() + 3600))
    status(alone.site, bearer(secret))
    assert recorded(alone, secret, aged) >= first


def test_only_one_worker_records_a_use(alone: TokenOwner) -> None:
    """A use that another worker has recorded within the hour is not written again."""
    _, secret = alone.token("read")
    records = TokenTable(alone.site.server.database)
    now = int(time.time())
    records.record_use(identifier(secret), now)
    before = serial(alone.site)

    for later in (0, 5, 3599):
        records.record_use(identifier(secret), now + later)
    records.record_use("A" * 12, now)

    assert serial(alone.site) == before


def test_a_use_in_the_future_is_recorded_again(alone: TokenOwner) -> None:
    """A use that was recorded while the clock was ahead does not hide later ones."""
    _, secret = alone.token("read")
    records = TokenTable(alone.site.server.database)
    now = int(time.time())
    records.record_use(identifier(secret), now + 10**7)

    records.record_use(identifier(secret), now)

    found = records.get(identifier(secret))
    assert found is not None
    assert found.last_used == now


@pytest.mark.parametrize(("ahead", "outcome"), [(0, "ok"), (30, "ok"), (58, "ok"), (62, "noauth"), (10**7, "noauth")])
def test_a_token_may_be_made_a_minute_ahead(
    alone: TokenOwner, monkeypatch: pytest.MonkeyPatch, ahead: int, outcome: str
) -> None:
    """A token that was made while the clock was up to a minute ahead is valid; one from a later time is not."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + ahead)
    owner = TokenOwner(alone.site, alone.site.login(alone.name, "correct horse"))
    _, secret = owner.token("read", expires_in=60)
    monkeypatch.setattr(time, "time", real)

    assert status(alone.site, bearer(secret))[0] == outcome


@dataclass
class EventRecorder:
    """A plugin that records events."""

    events: list[Event] = field(default_factory=list)

    @hookimpl
    def wheelgate_on_event(self, event: Event) -> None:
        """Record the event."""
        self.events.append(event)


def test_events_of_a_token(serve: Serve) -> None:
    """Creation, use and revocation send events with the user, the token's ID, the actor and the address, no secret."""
    recorder = EventRecorder()
    site = serve(extra={"recorder": recorder})
    alice = TokenOwner(site, site.add_user("alice"))
    _, secret = alice.token("read")
    site.request("GET", "/+api", headers=bearer(secret), address="192.0.2.7")
    site.request("GET", "/+api", headers=basic("alice", secret))
    site.request("DELETE", f"/+x/tokens/{identifier(secret)}", auth=("root", ""))
    site.application.close()

    events = [event for event in recorder.events if event.name.startswith("Token")]

    assert [(each.name, each.actor, each.subject, each.remote_address) for each in events] == [
        ("TokenCreated", "alice", "alice", "127.0.0.1"),
        ("TokenUsed", "alice", "alice", "192.0.2.7"),
        ("TokenRevoked", "root", "alice", "127.0.0.1"),
    ]
    assert {each.detail["token"] for each in events} == {identifier(secret)}
    assert secret not in repr(recorder.events)


def test_a_refused_token_counts_as_unused(alone: TokenOwner) -> None:
    """A token sent with another name, or a changed one, is not recorded as used."""
    _, secret = alone.token("read")

    status(alone.site, basic("root", secret))
    status(alone.site, bearer(secret[:-1] + ("A" if secret[-1] != "A" else "E")))
    alone.site.application._events.close()

    assert last_used(alone, secret) is None
