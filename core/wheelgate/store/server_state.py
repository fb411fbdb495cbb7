"""What core itself keeps: the server's identity, and the sessions that ended before their time."""

from __future__ import annotations

import time
from functools import cached_property

from wheelgate.store.database import Database

GRACE = 86_400
"""Seconds that an expired session is still remembered: a clock that was ahead for a while revives none."""


class ServerState:
    """The tables ``server_state`` and ``ended_session``."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @cached_property
    def uuid(self) -> str:
        """The server's identity from its first start on: 32 hexadecimal digits."""
        return str(self.database.read("SELECT uuid FROM server_state")[0][0])

    def end_session(self, session_id: str, expires: int) -> None:
        """Remember that a session has ended, at least until ``expires`` (seconds since 1970), when it would have."""
        with self.database.transaction():
            self.forget_ended(int(time.time()))
            self.database.write(
                "INSERT INTO ended_session (id, expires) VALUES (?, ?) ON CONFLICT DO NOTHING", (session_id, expires)
            )

    def session_ended(self, session_id: str) -> bool:
        """Say whether a session was ended by :meth:`end_session`."""
        return bool(self.database.read("SELECT 1 FROM ended_session WHERE id = ?", (session_id,)))

    def forget_ended(self, now: int) -> None:
        """Drop what expired a day before ``now``. Belongs into a transaction."""
        self.database.write("DELETE FROM ended_session WHERE expires < ?", (now - GRACE,))
