"""When a token was used: seen by its user, told to plugins, recorded outside of the request's way and not each time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from time import monotonic
from types import SimpleNamespace

import pytest
from tests.helpers.sites import Serve
from tests.plugins.tokens.conftest import Holder, basic, bearer, identifier, status

from wheelgate import Event, hookimpl
from wheelgate.testing.site import Site
from wheelgate_tokens.queries import Records

PATIENCE = 10
"""Seconds."""


def last_used(holder: Holder, secret: str) -> str | None:
    """Return when a token was used last, as its user sees it."""
    shown: str | None = holder.site.request("GET", f"/+x/tokens/{identifier(secret)}", auth=holder.auth).result[
        "last_used"
    ]
    return shown


def recorded(holder: Holder, secret: str, before: str | None) -> str:
    """Wait until a use is recorded; return it."""
    deadline = time.monotonic() + PATIENCE
    while (shown := last_used(holder, secret)) in (None, before):
        assert time.monotonic() < deadline, "the use is not recorded"
        time.sleep(0.01)
    return str(shown)


def serial(site: Site) -> int:
    """Return the change counter."""
    return int(site.server.database.serial())


def test_use_is_recorded_once_an_hour(alone: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request does, the next hundred change nothing at all, and one in the next hour does again."""
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


def test_of_many_workers_one_records(alone: Holder) -> None:
    """What another worker has recorded within the hour is not written again."""
    _, secret = alone.token("read")
    records = Records(alone.site.server.database)
    now = int(time.time())
    records.record_use(identifier(secret), now)
    before = serial(alone.site)

    for later in (0, 5, 3599):
        records.record_use(identifier(secret), now + later)
    records.record_use("A" * 12, now)

    assert serial(alone.site) == before


@dataclass
class Listener:
    """A plugin that remembers what it is told."""

    events: list[Event] = field(default_factory=list)

    @hookimpl
    def wheelgate_on_event(self, event: Event) -> None:
        """Listen."""
        self.events.append(event)


def test_plugins_are_told(serve: Serve) -> None:
    """Of creation, use and end: with the user, the token's name and who did it from where, and without the secret."""
    listener = Listener()
    site = serve(extra={"listener": listener})
    alice = Holder(site, site.add_user("alice"))
    _, secret = alice.token("read")
    site.request("GET", "/+api", headers=bearer(secret), address="192.0.2.7")
    site.request("GET", "/+api", headers=basic("alice", secret))
    site.request("DELETE", f"/+x/tokens/{identifier(secret)}", auth=("root", ""))
    site.application.close()

    told = [event for event in listener.events if event.name.startswith("Token")]

    assert [(each.name, each.actor, each.subject, each.remote_address) for each in told] == [
        ("TokenCreated", "alice", "alice", "127.0.0.1"),
        ("TokenUsed", "alice", "alice", "192.0.2.7"),
        ("TokenRevoked", "root", "alice", "127.0.0.1"),
    ]
    assert {each.detail["token"] for each in told} == {identifier(secret)}
    assert secret not in repr(listener.events)


def test_a_token_that_is_no_good_is_not_used(alone: Holder) -> None:
    """Who tries one under another name leaves no trace of use."""
    _, secret = alone.token("read")

    status(alone.site, basic("root", secret))
    status(alone.site, bearer(secret[:-1] + ("A" if secret[-1] != "A" else "E")))
    alone.site.application._events.close()

    assert last_used(alone, secret) is None
