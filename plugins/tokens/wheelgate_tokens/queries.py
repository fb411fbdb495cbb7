"""The statements: which tokens there are. None of their secrets is here, nor what could be turned into one."""

from __future__ import annotations

from dataclasses import dataclass

from wheelgate.store.database import Database

FIELDS = "id, digest, username, stamp, comment, caveat, created, expires, last_used"
USED_AGAIN = 3600
"""Seconds until the use of a token is recorded again."""


@dataclass(frozen=True, slots=True)
class Record:
    """One token; times are seconds since 1970."""

    id: str
    digest: str
    """SHA-256 of the random part, in hexadecimal digits."""
    username: str
    stamp: str
    """The user's stamp when it was made."""
    comment: str
    caveat: str
    """The first caveat, as it stands in the token."""
    created: int
    expires: int
    last_used: int | None = None


class Records:
    """The table ``tokens_token``. Changes belong into a transaction, unless they say otherwise."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, identifier: str) -> Record | None:
        """Return a token."""
        rows = self._database.read(f"SELECT {FIELDS} FROM tokens_token WHERE id = ?", (identifier,))  # noqa: S608 - ours
        return Record(*rows[0]) if rows else None

    def of(self, username: str, stamp: str) -> list[Record]:
        """Return the tokens of a user that have not ended with a password, the oldest first."""
        rows = self._database.read(
            f"SELECT {FIELDS} FROM tokens_token WHERE username = ? AND stamp = ? ORDER BY created, id",  # noqa: S608
            (username, stamp),
        )
        return [Record(*row) for row in rows]

    def add(self, record: Record) -> None:
        """Add a token, and drop those that have ended: with their time, or with an earlier password of the user."""
        self._database.write(
            "DELETE FROM tokens_token WHERE expires < ? OR (username = ? AND stamp <> ?)",
            (record.created, record.username, record.stamp),
        )
        self._database.write(
            f"INSERT INTO tokens_token ({FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (
                *(record.id, record.digest, record.username, record.stamp, record.comment),
                *(record.caveat, record.created, record.expires, record.last_used),
            ),
        )

    def remove(self, identifier: str) -> None:
        """Remove a token."""
        self._database.write("DELETE FROM tokens_token WHERE id = ?", (identifier,))

    def record_use(self, identifier: str, now: int) -> None:
        """Record when a token was used, once an hour, in a transaction of its own."""
        found = self.get(identifier)
        # A transaction makes every worker look at the stores anew, so none is begun for nothing.
        if found is not None and (found.last_used is None or found.last_used <= now - USED_AGAIN):
            with self._database.transaction():
                self._database.write("UPDATE tokens_token SET last_used = ? WHERE id = ?", (now, identifier))
