"""The core's own tables: the identity of the server, and sessions that ended before they expired."""

from __future__ import annotations

import time
from functools import cached_property

from wheelgate.store.database import Database

ENDED_SESSION_GRACE_SECONDS = 86_400
"""Seconds after the expiry of an ended session for which it stays in the table: a clock that was ahead revives none."""


class ServerState:
    """The tables ``server_state`` and ``ended_session``."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @cached_property
    def uuid(self) -> str:
        """The identity that the server got at its first start: 32 hexadecimal digits."""
        return str(self.database.read("SELECT uuid FROM server_state")[0][0])

    def end_session(self, session_id: str, expires: int) -> None:
        """End a session. ``expires`` is when it would have expired, in seconds since 1970."""
        with self.database.transaction():
            self.forget_ended(int(time.time()))
            self.database.write(
                "INSERT INTO ended_session (id, expires) VALUES (?, ?) ON CONFLICT DO NOTHING", (session_id, expires)
            )

    def session_ended(self, session_id: str) -> bool:
        """Return whether :meth:`end_session` has ended a session."""
        return bool(self.database.read("SELECT 1 FROM ended_session WHERE id = ?", (session_id,)))

    def forget_ended(self, now: int) -> None:
        """Remove sessions that expired a day before ``now``. Call it within a transaction."""
        self.database.write("DELETE FROM ended_session WHERE expires < ?", (now - ENDED_SESSION_GRACE_SECONDS,))
