"""Reads and writes the table of tokens, which contains neither secrets nor anything that could be turned into one."""

from __future__ import annotations

from dataclasses import dataclass

from wheelgate.clocks import MAX_CLOCK_SKEW_SECONDS
from wheelgate.store.database import Database

RECORD_COLUMNS = "id, digest, username, stamp, comment, caveat, created, expires, last_used"
USE_RECORDING_INTERVAL_SECONDS = 3600
"""Time after which the use of a token is recorded again."""


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """The record of a token; times are seconds since 1970."""

    id: str
    digest: str
    """SHA-256 of the random part, in hexadecimal digits."""
    username: str
    stamp: str
    """The user's stamp when the token was made."""
    comment: str
    caveat: str
    """The first caveat, in the encoding of the token."""
    created: int
    expires: int
    last_used: int | None = None


class TokenTable:
    """The table ``tokens_token``. Changes need a transaction, unless they say otherwise."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, identifier: str) -> TokenRecord | None:
        """Return a token."""
        rows = self._database.read(f"SELECT {RECORD_COLUMNS} FROM tokens_token WHERE id = ?", (identifier,))  # noqa: S608 - ours
        return TokenRecord(*rows[0]) if rows else None

    def list_for(self, username: str, stamp: str) -> list[TokenRecord]:
        """Return the tokens of a user that were made with the current password, the oldest first."""
        rows = self._database.read(
            f"SELECT {RECORD_COLUMNS} FROM tokens_token WHERE username = ? AND stamp = ? ORDER BY created, id",  # noqa: S608
            (username, stamp),
        )
        return [TokenRecord(*row) for row in rows]

    def add(self, record: TokenRecord) -> None:
        """Add a token, and remove those that have expired or that an earlier password of the user has ended."""
        self._database.write(
            "DELETE FROM tokens_token WHERE expires < ? OR (username = ? AND stamp <> ?)",
            (record.created, record.username, record.stamp),
        )
        self._database.write(
            f"INSERT INTO tokens_token ({RECORD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (
                *(record.id, record.digest, record.username, record.stamp, record.comment),
                *(record.caveat, record.created, record.expires, record.last_used),
            ),
        )

    def remove(self, identifier: str) -> None:
        """Remove a token."""
        self._database.write("DELETE FROM tokens_token WHERE id = ?", (identifier,))

    def record_use(self, identifier: str, now: int) -> None:
        """Record when a token was used, at most once an hour, in its own transaction."""
        found = self.get(identifier)
        # Every transaction empties the caches of all workers, so none is started without need.
        earliest, latest = now - USE_RECORDING_INTERVAL_SECONDS, now + MAX_CLOCK_SKEW_SECONDS
        if found is not None and (found.last_used is None or not earliest < found.last_used <= latest):
            with self._database.transaction():
                self._database.write("UPDATE tokens_token SET last_used = ? WHERE id = ?", (now, identifier))
