"""Events: plugins learn of a change after it is committed, and cannot undo or delay it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.helpers.sites import Serve

from wheelgate import Event, Principal, RequestInfo, Server, hookimpl
from wheelgate.hookspecs import about
from wheelgate.plugin_host.discovery import Implementation
from wheelgate.plugin_host.events import Events

ROOT = ("root", "")


@dataclass
class Listener:
    """A listener that records events."""

    heard: list[Event] = field(default_factory=list)
    then: Callable[[Server, Event], Any] = lambda server, event: None

    @hookimpl
    def wheelgate_on_event(self, server: Server, event: Event) -> None:
        """Record the event."""
        self.heard.append(event)
        self.then(server, event)


def heard(serve: Serve, listener: Listener) -> list[tuple[str, str | None, str, dict[str, Any]]]:
    """Stop the server, which lets the listeners finish, and return the recorded events."""
    serve.stop()
    return [(event.name, event.actor, event.subject, dict(event.detail)) for event in listener.heard]


STEPS = [
    pytest.param("PUT", "/new", {"password": "x"}, None, [("UserCreated", None, "new", {})], id="create user"),
    pytest.param(
        "PATCH",
        "/alice",
        {"title": "CTO", "email": "a@mail.example"},
        "alice",
        [("UserModified", "alice", "alice", {"changed": ["email", "title"]})],
        id="modify user",
    ),
    pytest.param("PATCH", "/alice", {"email": ""}, "alice", [], id="modify nothing"),
    pytest.param(
        "PATCH",
        "/alice",
        {"title": "CTO", "password": "new password"},
        "root",
        [("PasswordChanged", "root", "alice", {"changed": ["title"]})],
        id="password",
    ),
    pytest.param(
        "DELETE",
        "/alice",
        None,
        "alice",
        [("IndexDeleted", "alice", "alice/dev", {}), ("UserDeleted", "alice", "alice", {})],
        id="delete user",
    ),
    pytest.param("PUT", "/alice/new", {}, "root", [("IndexCreated", "root", "alice/new", {})], id="create index"),
    pytest.param(
        "PATCH", "/alice/dev", ["title=x"], "alice", [("IndexModified", "alice", "alice/dev", {})], id="index"
    ),
    pytest.param("PATCH", "/alice/dev", [], "alice", [], id="modify nothing of an index"),
    pytest.param(
        "DELETE", "/alice/dev", None, "alice", [("IndexDeleted", "alice", "alice/dev", {})], id="delete index"
    ),
    pytest.param("POST", "/+logout", None, "alice", [("LoggedOut", "alice", "alice", {})], id="logout"),
    pytest.param(
        "POST",
        "/+login",
        {"user": "alice", "password": "correct horse"},
        None,
        [("LoginSucceeded", "alice", "alice", {})],
        id="login",
    ),
    pytest.param(
        "POST",
        "/+login",
        {"user": "alice", "password": "x"},
        None,
        [("LoginFailed", None, "alice", {})],
        id="failed login",
    ),
    pytest.param("DELETE", "/root", None, "root", [], id="refused"),
    pytest.param("PUT", "/alice", {"password": "x"}, "root", [], id="conflict"),
    pytest.param("GET", "/alice", None, "alice", [], id="reading"),
]


@pytest.mark.parametrize(("method", "path", "body", "actor", "events"), STEPS)
def test_what_is_told(
    serve: Serve, method: str, path: str, body: object, actor: str | None, events: list[object]
) -> None:
    """Each change and each login is one event with actor and subject; a refusal, or a change of nothing, is none."""
    listener = Listener()
    site = serve(extra={"listener": listener})
    actors = {"alice": site.add_user("alice"), "root": site.login("root", ""), None: None}
    site.request("PUT", "/alice/dev", {}, auth=actors["alice"])
    before = 4

    site.request(method, path, body, auth=actors[actor], address="192.0.2.1")

    assert heard(serve, listener)[before:] == events
    for event in listener.heard[before:]:
        assert event.remote_address == "192.0.2.1"
        assert event.request_id
        assert event.time.tzinfo is not None


def test_a_listener_sees_what_is_committed(serve: Serve) -> None:
    """Events arrive after their changes and in the same order, so a listener finds each change in the stores."""
    found: list[object] = []
    listener = Listener(then=lambda server, event: found.append(server.users.get(event.subject)))
    site = serve(extra={"listener": listener})
    site.request("PUT", "/alice", {"password": "correct horse"})
    site.request("PUT", "/bob", {"password": "correct horse"})

    events = heard(serve, listener)

    assert [name for name, *_ in events] == ["UserCreated", "UserCreated"]
    assert [getattr(user, "name", None) for user in found] == ["alice", "bob"]


def test_a_listener_hears_what_it_is_about(serve: Serve) -> None:
    """With ``@about`` a listener gets only those events; without it, all of them."""

    class Narrow(Listener):
        @hookimpl
        @about("UserDeleted", "LoggedOut")
        def wheelgate_on_event(self, server: Server, event: Event) -> None:
            self.heard.append(event)

    narrow, other = Narrow(), Listener()
    site = serve(extra={"narrow": narrow, "other": other})
    alice = site.add_user("alice")
    site.request("DELETE", "/alice", auth=alice)

    assert [name for name, *_ in heard(serve, narrow)] == ["UserDeleted"]
    assert {"UserCreated", "UserDeleted"} <= {event.name for event in other.heard}


def test_a_listener_that_raises_is_only_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """The request succeeds, the other listeners get the event, and the log names the plugin and the event."""

    def fail(server: Server, event: Event) -> None:
        raise RuntimeError("the queue is full, password=swordfish")

    failing, other = Listener(then=fail), Listener()
    site = serve(extra={"failing": failing, "other": other})

    with caplog.at_level(logging.ERROR):
        assert site.request("PUT", "/alice", {"password": "correct horse"}).status == 201
        assert site.request("PUT", "/bob", {"password": "correct horse"}).status == 201
        heard(serve, other)

    assert [event.subject for event in other.heard] == [event.subject for event in failing.heard] == ["alice", "bob"]
    assert "plugin 'failing' failed on UserCreated: RuntimeError" in caplog.text
    assert "swordfish" not in caplog.text


def test_listeners_that_are_too_slow_lose_events(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """If ten thousand events are queued, the next is dropped and logged: no request waits for a listener."""
    begun, going = threading.Event(), threading.Event()
    heard: list[Event] = []

    def slow(event: Event) -> None:
        heard.append(event)
        begun.set()
        going.wait(60)

    events = Events(serve().server, [Implementation("slow", slow, ("event",), False)])
    info = RequestInfo("GET", "/", {}, "192.0.2.1")
    names = [f"E{number}" for number in range(10_002)]

    events.announce(names[0], Principal(), info, "alice")
    begun.wait(60)
    for name in names[1:]:
        events.announce(name, Principal(), info, "alice")
    going.set()
    events.close()

    assert [event.name for event in heard] == names[:-1]
    assert "event E10001 of 'alice' dropped: the listeners are too slow" in caplog.text


def test_no_event_holds_a_secret(serve: Serve) -> None:
    """No event contains a password or a token."""
    listener = Listener()
    site = serve(extra={"listener": listener})
    alice = site.add_user("alice", "swordfish")
    site.request("PATCH", "/alice", {"password": "swordfish 2", "title": "x"}, auth=alice)
    site.request("POST", "/+login", {"user": "alice", "password": "swordfish 3"})
    site.request("PUT", "/root/m", {"type": "mirror", "mirror_url": "https://u:swordfish@packages.example/"}, auth=ROOT)
    heard(serve, listener)

    assert len(listener.heard) > 4
    assert "swordfish" not in repr(listener.heard)
    assert alice[1] not in repr(listener.heard)
