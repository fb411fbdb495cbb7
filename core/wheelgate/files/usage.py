"""Sums of the space that stored files take: by index and by project, with each content counted once in the total."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from wheelgate.packages import FileRecord

RECORD_TABLE = "CREATE TABLE record (owner TEXT, project TEXT, path TEXT, sha256 BLOB, size INTEGER)"
CONTENT_TABLE = """
    CREATE TABLE content AS
    SELECT sha256, MAX(size) AS size, COUNT(DISTINCT owner) > 1 AS shared FROM record GROUP BY sha256
"""


@dataclass(frozen=True, slots=True)
class Space:
    """The space of some files."""

    files: int
    """Different contents; two names of the same content are one file in the store."""
    size: int
    """Bytes."""
    shared: int = 0
    """Bytes of those of these files that another index has too."""


@dataclass(frozen=True, slots=True)
class SharedContent:
    """A content that several indices have; the store has it once."""

    sha256: str
    size: int
    """Bytes."""
    paths: tuple[str, ...]
    """Its addresses, ``owner/index/+f/…``."""


class FileUsage:
    """The records of all files in a temporary database on the disk, because a server may have millions of them."""

    def __init__(self, records: Iterable[FileRecord]) -> None:
        """Read the records."""
        self._database = sqlite3.connect("")  # an empty name: a file that SQLite removes when it is closed
        self._database.execute(RECORD_TABLE)
        self._database.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?)", map(_row, records))
        self._database.execute("CREATE INDEX record_sha256 ON record (sha256)")
        self._database.execute(CONTENT_TABLE)
        self._database.execute("CREATE UNIQUE INDEX content_sha256 ON content (sha256)")
        self._database.execute("CREATE INDEX record_owner ON record (owner, project)")
        self._database.commit()

    def total(self) -> Space:
        """Return the space of all files; a file of several indices counts once."""
        rows = self._database.execute(
            "SELECT COUNT(*), COALESCE(SUM(size), 0), COALESCE(SUM(size * shared), 0) FROM content"
        )
        return Space(*rows.fetchone())

    def indices(self) -> Iterator[tuple[str, Space]]:
        """Yield the path of each index that has files, and the space of its files, the largest first."""
        yield from self._sums("owner", "", ())

    def projects(self, index: str) -> Iterator[tuple[str, Space]]:
        """Yield each project of an index, and the space of its files, the largest first."""
        yield from self._sums("project", "WHERE owner = ?", (index,))

    def shared(self) -> Iterator[SharedContent]:
        """Yield the contents that several indices have, the largest first."""
        contents = self._database.execute("SELECT sha256, size FROM content WHERE shared ORDER BY size DESC, sha256")
        for sha256, size in contents:
            paths = self._database.execute(
                "SELECT owner || '/' || path FROM record WHERE sha256 = ? ORDER BY 1", (sha256,)
            )
            yield SharedContent(sha256.hex(), size, tuple(path for (path,) in paths))

    def freed_by(self, files: Iterable[tuple[str, str]]) -> Space:
        """Return the space that the store gets back if these files lose their records.

        Args:
            files: the path of the index, and the address below it, of each file.
        """
        with self._database:
            self._database.execute("CREATE TEMP TABLE removed (owner TEXT, path TEXT, PRIMARY KEY (owner, path))")
            self._database.executemany("INSERT INTO removed VALUES (?, ?)", files)
            rows = self._database.execute(
                "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM (SELECT MAX(size) AS size FROM record"
                " LEFT JOIN removed USING (owner, path) GROUP BY sha256 HAVING COUNT(*) = COUNT(removed.path))"
            )
            found = Space(*rows.fetchone())
            self._database.execute("DROP TABLE removed")
        return found

    def close(self) -> None:
        """Remove the temporary database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _sums(self, column: str, where: str, params: tuple[str, ...]) -> Iterator[tuple[str, Space]]:
        """Yield the space of each value of a column; each content counts once for each value."""
        rows = self._database.execute(
            f"SELECT {column}, COUNT(*), SUM(size), SUM(size * shared)"  # noqa: S608 - constants of this class
            f" FROM (SELECT DISTINCT {column}, sha256 FROM record {where}) JOIN content USING (sha256)"
            f" GROUP BY {column} ORDER BY SUM(size) DESC, {column}",
            params,
        )
        for name, *space in rows:
            yield name, Space(*space)


def _row(record: FileRecord) -> tuple[str, str, str, bytes, int]:
    """Return a row of the temporary database."""
    stored = record.stored
    return record.index, record.project, record.path, bytes.fromhex(stored.sha256), stored.size
