"""The statements: pages by mirror and project, the list of all under the empty name; and the files that are here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wheelgate.packages import StoredFile
from wheelgate.store.database import Database

NEXT = "(SELECT serial + 1 FROM server_state)"
"""What the change counter will be after this transaction."""

FILE = "f.path, f.project, f.version, f.sha256, f.size, f.upload_time"


@dataclass(frozen=True, slots=True)
class CachedPage:
    """The latest answer of an upstream about a project, or about the list of projects."""

    source: str
    """The upstream."""
    checked: float
    """When it answered, or confirmed its answer, in seconds since 1970."""
    etag: str
    serial: int
    """The upstream's change serial; 0 if it sends none."""
    status: str
    content: bytes | None
    """None if it no longer has anything of that name."""


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file in the server's storage: a package, or the metadata of one."""

    path: str
    project: str
    version: str
    stored: StoredFile
    upload_time: str | None


def stamp(database: Database, index: str, project: str) -> tuple[int, str] | None:
    """Return a value that is another one after each change."""
    rows = database.read("SELECT stamp, source FROM mirror_page WHERE index_path = ? AND project = ?", (index, project))
    return (int(rows[0][0]), rows[0][1]) if rows else None


def stamp_of_all(database: Database, index: str) -> tuple[int, int]:
    """Return a value that is another one whenever a project was asked for first, or is gone."""
    rows = database.read("SELECT COALESCE(MAX(stamp), 0), COUNT(*) FROM mirror_page WHERE index_path = ?", (index,))
    return int(rows[0][0]), int(rows[0][1])


def page(database: Database, index: str, project: str) -> CachedPage | None:
    """Return what is known of a project."""
    rows = database.read(
        "SELECT source, checked, etag, upstream_serial, status, content FROM mirror_page"
        " WHERE index_path = ? AND project = ?",
        (index, project),
    )
    return CachedPage(*rows[0]) if rows else None


def pages(database: Database, index: str, source: str, projects: Sequence[str]) -> list[tuple[str, bytes]]:
    """Return those of some projects that are known, with their contents, in no order."""
    rows = database.read(  # only question marks are put in
        "SELECT project, content FROM mirror_page WHERE index_path = ? AND source = ? AND content IS NOT NULL"  # noqa: S608
        f" AND project IN ({', '.join('?' for _ in projects)})",
        (index, source, *projects),
    )
    return [(row[0], row[1]) for row in rows]


def known_projects(database: Database, index: str, source: str) -> list[str]:
    """Return the names of the projects that were asked for and exist, in order."""
    rows = database.read(
        "SELECT project FROM mirror_page WHERE index_path = ? AND source = ? AND content IS NOT NULL AND project <> ''",
        (index, source),
    )
    return sorted(row[0] for row in rows)


def write_page(database: Database, index: str, project: str, kept: CachedPage) -> None:
    """Keep what an upstream says now. Within a transaction."""
    database.write(
        "INSERT INTO mirror_page"  # noqa: S608 - ours
        " (index_path, project, source, checked, etag, upstream_serial, status, content, stamp)"
        f" VALUES (?, ?, ?, ?, ?, ?, ?, ?, {NEXT})"
        " ON CONFLICT (index_path, project) DO UPDATE SET source = excluded.source, checked = excluded.checked,"
        " etag = excluded.etag, upstream_serial = excluded.upstream_serial, status = excluded.status,"
        " content = excluded.content,"
        # Two transactions of PostgreSQL may see the same counter; the second must not seem to be the first.
        " stamp = CASE WHEN excluded.stamp > mirror_page.stamp THEN excluded.stamp ELSE mirror_page.stamp + 1 END",
        (index, project, kept.source, kept.checked, kept.etag, kept.serial, kept.status, kept.content),
    )


def confirm_page(database: Database, index: str, project: str, kept: CachedPage) -> None:
    """Note that an upstream says what it has said before. Within a transaction."""
    database.write(
        "UPDATE mirror_page SET checked = ?, etag = ?, upstream_serial = ? WHERE index_path = ? AND project = ?",
        (kept.checked, kept.etag, kept.serial, index, project),
    )


def doubt_page(database: Database, index: str, project: str) -> None:
    """Have the upstream asked again, for the whole of it. Within a transaction."""
    database.write(
        "UPDATE mirror_page SET checked = 0, etag = '', upstream_serial = 0, stamp = stamp + 1"
        " WHERE index_path = ? AND project = ?",
        (index, project),
    )


def file(database: Database, index: str, path: str) -> tuple[CachedFile, str] | None:
    """Return a file that is here, and its project's status (PEP 792)."""
    rows = database.read(
        f"SELECT {FILE}, p.status FROM mirror_file f LEFT JOIN mirror_page p"  # noqa: S608 - ours
        " ON p.index_path = f.index_path AND p.project = f.project WHERE f.index_path = ? AND f.path = ?",
        (index, path),
    )
    return (_cached(*rows[0][:-1]), rows[0][-1] or "") if rows else None


def files(database: Database, index: str, project: str) -> list[CachedFile]:
    """Return all files of a project that are here."""
    rows = database.read(
        f"SELECT {FILE} FROM mirror_file f WHERE f.index_path = ? AND f.project = ?",  # noqa: S608 - ours
        (index, project),
    )
    return [_cached(*row) for row in rows]


def add_file(database: Database, index: str, cached: CachedFile) -> None:
    """Record a file that has come, unless it has come before. Within a transaction."""
    database.write(
        "INSERT INTO mirror_file (index_path, path, project, version, sha256, size, upload_time)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (index_path, path) DO NOTHING",
        (
            index,
            cached.path,
            cached.project,
            cached.version,
            cached.stored.sha256,
            cached.stored.size,
            cached.upload_time,
        ),
    )


def drop_pages(database: Database, index: str, project: str | None = None) -> int:
    """Forget a project's page, or all of a mirror. Within a transaction; return how many there were."""
    if project is None:
        return database.write("DELETE FROM mirror_page WHERE index_path = ?", (index,))
    return database.write("DELETE FROM mirror_page WHERE index_path = ? AND project = ?", (index, project))


def drop_files(
    database: Database, index: str, project: str | None = None, version: str | None = None, path: str | None = None
) -> list[str]:
    """Forget the files that fit what is given. Within a transaction; return their hashes."""
    wanted = {"project": project, "version": version}
    given = {column: value for column, value in wanted.items() if value is not None}
    where = "".join(f" AND {column} = ?" for column in given)
    params = [index, *given.values()]
    if path is not None:
        where += " AND path IN (?, ?)"
        params += [path, f"{path}.metadata"]
    rows = database.returning(
        f"DELETE FROM mirror_file WHERE index_path = ?{where} RETURNING sha256",  # noqa: S608 - our columns
        params,
    )
    return [row[0] for row in rows]


def lose(database: Database, sha256: str) -> None:
    """Forget every file of that content. Within a transaction."""
    database.write("DELETE FROM mirror_file WHERE sha256 = ?", (sha256,))


def refers(database: Database, sha256: str) -> bool:
    """Say whether any file has that content."""
    return bool(database.read("SELECT 1 FROM mirror_file WHERE sha256 = ? LIMIT 1", (sha256,)))


def all_files(database: Database) -> Iterator[tuple[StoredFile, str]]:
    """Yield every file that is here, with its whole address."""
    for sha256, size, index, path in database.read("SELECT sha256, size, index_path, path FROM mirror_file"):
        yield StoredFile(sha256, size), f"{index}/{path}"


def _cached(path: str, project: str, version: str, sha256: str, size: int, upload_time: str | None) -> CachedFile:
    return CachedFile(path, project, version, StoredFile(sha256, size), upload_time)
