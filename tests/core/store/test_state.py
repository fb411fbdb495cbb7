"""The identity of the server, and ended sessions."""

from __future__ import annotations

import re
import time
from contextlib import closing

import pytest

from wheelgate.store.database import Database
from wheelgate.store.server_state import ServerState

LIFETIME = 1000


def test_identity_stays(database: Database, url: str) -> None:
    """Every worker reads the same identity: 32 hexadecimal digits."""
    uuid = ServerState(database).uuid
    assert re.fullmatch("[0-9a-f]{32}", uuid)
    with closing(Database(url)) as other:
        assert ServerState(other).uuid == uuid


def test_ended_sessions_are_known_to_all(database: Database, url: str) -> None:
    """An ended session is ended for every worker, and can be ended again; other sessions stay."""
    state = ServerState(database)
    assert not state.session_ended("one", 0)
    state.end_session("one", 0, LIFETIME)
    state.end_session("one", 0, LIFETIME)
    assert state.session_ended("one", 0)
    assert not state.session_ended("two", 0)
    with closing(Database(url)) as other:
        assert ServerState(other).session_ended("one", 0)


def test_the_table_stays_small(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions that ended two lifetimes ago are removed, and stay ended by their epoch; those in use stay valid."""
    state, began = ServerState(database), int(time.time())
    for step in range(40):
        monkeypatch.setattr(time, "time", lambda step=step: began + step * LIFETIME // 4)
        before = state.session_epoch()
        state.end_session(f"ended {step}", before, LIFETIME)
        assert not state.session_ended("in use", before)

    assert state.session_epoch() in (7, 8)
    assert len(database.read("SELECT id FROM ended_session")) <= 12
    assert state.session_ended("ended 0", 0)
