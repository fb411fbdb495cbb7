"""The core's own tables: the identity of the server, and sessions that ended before they expired."""

from __future__ import annotations

import time
from functools import cached_property

from wheelgate.store.database import Database

VALID_EPOCHS = 2
"""The sessions of the current epoch are valid, and those of the one before it."""


class ServerState:
    """The tables ``server_state`` and ``ended_session``."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @cached_property
    def uuid(self) -> str:
        """The identity that the server got at its first start: 32 hexadecimal digits."""
        return str(self.database.read("SELECT uuid FROM server_state")[0][0])

    def take_identity(self, uuid: str) -> None:
        """Give a new server the identity of another one, which it replaces. Call it within a transaction."""
        self.database.write("UPDATE server_state SET uuid = ?", (uuid,))

    def session_epoch(self) -> int:
        """Return the number of the current epoch, which each session gets at the login.

        An epoch lasts at least as long as a session. A session that is two epochs old has ended for good: a clock that
        goes back, or a longer lifetime in the settings, does not revive it. So its row can be removed.
        """
        return int(self.database.read("SELECT session_epoch FROM server_state")[0][0])

    def end_session(self, session_id: str, epoch: int, lifetime: int) -> None:
        """End a session.

        Args:
            session_id: the session.
            epoch: its epoch.
            lifetime: the time for which sessions are valid, in seconds.
        """
        now = int(time.time())
        with self.database.transaction():
            self.database.write(
                "INSERT INTO ended_session (id, expires, epoch) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (session_id, now + lifetime, epoch),
            )
            self._begin_epoch(now, lifetime)

    def session_ended(self, session_id: str, epoch: int) -> bool:
        """Return whether :meth:`end_session` has ended a session, or its epoch is over."""
        ended = "SELECT 1 FROM ended_session WHERE id = ? UNION ALL SELECT 1 FROM server_state WHERE session_epoch >= ?"
        return bool(self.database.read(ended, (session_id, epoch + VALID_EPOCHS)))

    def _begin_epoch(self, now: int, lifetime: int) -> None:
        """Begin the next epoch if the current one has lasted long enough; remove the sessions that end with it."""
        epoch, began = self.database.read("SELECT session_epoch, session_epoch_began FROM server_state")[0]
        if not 0 < began <= now:  # no epoch has begun yet, or the clock went back since
            self.database.write("UPDATE server_state SET session_epoch_began = ?", (now,))
        elif now - began > lifetime:
            # Of two servers that do this at the same time, only one finds the epoch that it has read.
            self.database.write(
                "UPDATE server_state SET session_epoch = ?, session_epoch_began = ? WHERE session_epoch = ?",
                (epoch + 1, now, epoch),
            )
            self.database.write("DELETE FROM ended_session WHERE epoch <= ?", (epoch + 1 - VALID_EPOCHS,))
