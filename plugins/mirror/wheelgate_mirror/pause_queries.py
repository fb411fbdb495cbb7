"""SQL statements: the pauses of hosts and pages that failed."""

from __future__ import annotations

from collections.abc import Sequence

from wheelgate.store.database import Database


def find_pauses(database: Database, keys: Sequence[str]) -> list[tuple[float, str, str]]:
    """Return the pauses of some keys: when each ends, in seconds since 1970, and the class and text of its error."""
    rows = database.read(
        f"SELECT until, refusal, message FROM mirror_pause WHERE key IN ({_marks(keys)})",  # noqa: S608 - question marks
        keys,
    )
    return [(row[0], row[1], row[2]) for row in rows]


def save_pause(database: Database, key: str, until: float, error: tuple[str, str], max_rows: int) -> bool:
    """Store a pause, unless there are too many others; return whether it was stored. Call it within a transaction."""
    if database.read("SELECT COUNT(*) FROM mirror_pause")[0][0] >= max_rows:
        return False
    database.write(
        "INSERT INTO mirror_pause (key, until, refusal, message) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE"
        " SET until = excluded.until, refusal = excluded.refusal, message = excluded.message",
        (key, until, *error),
    )
    return True


def delete_ended_pauses(database: Database, now: float, latest: float) -> None:
    """Delete pauses that are over, or end later than any can. Call it within a transaction."""
    database.write("DELETE FROM mirror_pause WHERE until < ? OR until > ?", (now, latest))


def delete_pauses(database: Database, keys: Sequence[str]) -> None:
    """Delete the pauses of some keys. Call it within a transaction."""
    database.write(f"DELETE FROM mirror_pause WHERE key IN ({_marks(keys)})", keys)  # noqa: S608 - question marks


def _marks(keys: Sequence[str]) -> str:
    return ", ".join("?" for _ in keys)
