"""The identity of the server, and ended sessions."""

from __future__ import annotations

import re
import time
from contextlib import closing

from wheelgate.store.database import Database
from wheelgate.store.server_state import ENDED_SESSION_GRACE_SECONDS, ServerState


def test_identity_stays(database: Database, url: str) -> None:
    """Every worker reads the same identity: 32 hexadecimal digits."""
    uuid = ServerState(database).uuid
    assert re.fullmatch("[0-9a-f]{32}", uuid)
    with closing(Database(url)) as other:
        assert ServerState(other).uuid == uuid


def test_ended_sessions_are_known_to_all(database: Database, url: str) -> None:
    """An ended session is ended for every worker, and can be ended again; other sessions stay."""
    state = ServerState(database)
    assert not state.session_ended("one")
    expires = int(time.time()) + 1000
    state.end_session("one", expires)
    state.end_session("one", expires)
    assert state.session_ended("one")
    assert not state.session_ended("two")
    with closing(Database(url)) as other:
        assert ServerState(other).session_ended("one")


def test_ended_sessions_are_forgotten_when_they_would_have_expired(database: Database) -> None:
    """Ending a session removes those that expired more than a day ago, so the table stays small."""
    state = ServerState(database)
    now = int(time.time())
    state.end_session("long over", now - ENDED_SESSION_GRACE_SECONDS - 10)
    state.end_session("just over", now - 10)
    state.end_session("running", now + 1000)
    assert [state.session_ended(name) for name in ("long over", "just over", "running")] == [False, True, True]
    assert len(database.read("SELECT id FROM ended_session")) == 2


def test_a_change_of_the_clock_revives_no_session(database: Database) -> None:
    """A clock that was ahead for less than a day revives no session."""
    state = ServerState(database)
    now = int(time.time())
    state.end_session("running", now + 1000)
    with database.transaction():
        state.forget_ended(now + ENDED_SESSION_GRACE_SECONDS)
    assert state.session_ended("running")
