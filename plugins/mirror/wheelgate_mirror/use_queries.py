"""SQL statements about the last uses of cached files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wheelgate.store.database import Database
from wheelgate_mirror.queries import FILE_BATCH_ROWS


def mark_used(database: Database, index: str, path: str, day: int) -> bool:
    """Record the day of a file's last use; return whether there is such a file. Call it within a transaction."""
    return bool(database.write("UPDATE mirror_file SET used = ? WHERE index_path = ? AND path = ?", (day, index, path)))


def unused_files(database: Database, before: int, indices: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield index and path of each file whose last use was before a day; it reads in batches.

    Args:
        database: the database.
        before: the day, in days since 1970.
        indices: the paths of the indices to look at; none stands for all.
    """
    last = ("", "")
    sql = (
        "SELECT index_path, path FROM mirror_file"  # noqa: S608 - the f-string adds only question marks
        f" WHERE (index_path, path) > (?, ?) AND used < ?{_on(indices)} ORDER BY index_path, path LIMIT ?"
    )
    while rows := database.read(sql, (*last, before, *indices, FILE_BATCH_ROWS)):
        yield from rows
        last = rows[-1]


def delete_unused(database: Database, before: int, indices: Sequence[str]) -> list[str]:
    """Delete a batch of records of files that were last used before a day; return their hashes, none at the end.

    It looks at the day again: a file may have been used since :func:`unused_files`. Call it within a transaction.
    """
    rows = database.returning(
        "DELETE FROM mirror_file WHERE (index_path, path) IN"  # noqa: S608 - the f-string adds only question marks
        f" (SELECT index_path, path FROM mirror_file WHERE used < ?{_on(indices)} LIMIT ?)"
        " AND used < ? RETURNING sha256",
        (before, *indices, FILE_BATCH_ROWS, before),
    )
    return [sha256 for (sha256,) in rows]


def _on(indices: Sequence[str]) -> str:
    return f" AND index_path IN ({', '.join('?' * len(indices))})" if indices else ""
