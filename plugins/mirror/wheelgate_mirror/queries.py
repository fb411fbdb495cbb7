"""SQL statements: pages by mirror and project, with the list of all projects under the empty name, and stored files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wheelgate.packages import StoredFile, version_key
from wheelgate.store.database import Database

NEXT_SERIAL = "(SELECT serial + 1 FROM server_state)"
"""The value of the change counter after the current transaction."""
FILE_COLUMNS = "f.path, f.project, f.version, f.sha256, f.size, f.upload_time"
"""The columns of :class:`MirroredFile`, for a table ``mirror_file f``."""


@dataclass(frozen=True, slots=True)
class StoredPage:
    """The upstream's last answer about a project, or its last list of projects."""

    url_hash: str
    """Which upstream it is from; see :attr:`wheelgate_mirror.upstream_urls.UpstreamIndex.url_hash`."""
    checked: float
    """Seconds since 1970 when the upstream sent it, or said that it has not changed."""
    etag: str
    serial: int
    """The upstream's own change counter; 0 if it sends none."""
    status: str
    """The project's status (PEP 792); empty for the list of projects."""
    content: bytes | None
    """None if the upstream no longer has the project."""


@dataclass(frozen=True, slots=True)
class MirroredFile:
    """A downloaded file: an archive, or the metadata next to one."""

    path: str
    project: str
    version: str
    stored: StoredFile
    upload_time: str | None


def page_stamp(database: Database, index: str, project: str) -> tuple[tuple[Any, ...], ...]:
    """Return a value that changes with every change of a page, and with a refresh if there is no page."""
    rows = database.read(
        "SELECT stamp, source FROM mirror_page WHERE index_path = ? AND project = ?"
        " UNION ALL SELECT at, project FROM mirror_refresh WHERE index_path = ? AND project = ?",
        (index, project, index, project),
    )
    return tuple(rows)


def requested_projects_stamp(database: Database, index: str) -> tuple[int, int]:
    """Return a value that changes with every page that is added, changed or removed."""
    rows = database.read("SELECT COALESCE(MAX(stamp), 0), COUNT(*) FROM mirror_page WHERE index_path = ?", (index,))
    return int(rows[0][0]), int(rows[0][1])


def find_page(database: Database, index: str, project: str) -> StoredPage | None:
    """Return a stored page, whichever upstream it is from."""
    rows = database.read(
        "SELECT source, checked, etag, upstream_serial, status, content FROM mirror_page"
        " WHERE index_path = ? AND project = ?",
        (index, project),
    )
    return StoredPage(*rows[0]) if rows else None


def page_contents(database: Database, index: str, url_hash: str, projects: Sequence[str]) -> list[tuple[str, bytes]]:
    """Return the contents of the stored pages of some projects, with the projects' names, in any order."""
    rows = database.read(  # the f-string adds only question marks
        "SELECT project, content FROM mirror_page WHERE index_path = ? AND source = ? AND content IS NOT NULL"  # noqa: S608
        f" AND project IN ({', '.join('?' for _ in projects)})",
        (index, url_hash, *projects),
    )
    return [(row[0], row[1]) for row in rows]


def requested_projects(database: Database, index: str, url_hash: str) -> list[str]:
    """Return the sorted names of the projects that a client has asked for and the upstream has."""
    rows = database.read(
        "SELECT project FROM mirror_page WHERE index_path = ? AND source = ? AND content IS NOT NULL AND project <> ''",
        (index, url_hash),
    )
    return sorted(row[0] for row in rows)


def save_page(database: Database, index: str, project: str, page: StoredPage) -> None:
    """Store a new answer of an upstream, with a new stamp. Call it within a transaction."""
    database.write(
        "INSERT INTO mirror_page"  # noqa: S608 - a constant of this module
        " (index_path, project, source, checked, etag, upstream_serial, status, content, stamp)"
        f" VALUES (?, ?, ?, ?, ?, ?, ?, ?, {NEXT_SERIAL})"
        " ON CONFLICT (index_path, project) DO UPDATE SET source = excluded.source, checked = excluded.checked,"
        " etag = excluded.etag, upstream_serial = excluded.upstream_serial, status = excluded.status,"
        " content = excluded.content,"
        # Two transactions of PostgreSQL may see the same counter, but the second needs another stamp than the first.
        " stamp = CASE WHEN excluded.stamp > mirror_page.stamp THEN excluded.stamp ELSE mirror_page.stamp + 1 END",
        (index, project, page.url_hash, page.checked, page.etag, page.serial, page.status, page.content),
    )


def confirm_page(database: Database, index: str, project: str, page: StoredPage) -> None:
    """Record that an upstream's answer has not changed; the stamp stays. Call it within a transaction."""
    database.write(
        "UPDATE mirror_page SET checked = ?, etag = ?, upstream_serial = ? WHERE index_path = ? AND project = ?",
        (page.checked, page.etag, page.serial, index, project),
    )


def expire_page(database: Database, index: str, project: str) -> None:
    """Make the next request fetch the whole page from the upstream again. Call it within a transaction."""
    database.write(
        "UPDATE mirror_page SET checked = 0, etag = '', upstream_serial = 0, stamp = stamp + 1"
        " WHERE index_path = ? AND project = ?",
        (index, project),
    )


def change_stamp(database: Database, index: str, project: str) -> None:
    """Make the server render the pages of a project again. Call it within a transaction."""
    database.write("UPDATE mirror_page SET stamp = stamp + 1 WHERE index_path = ? AND project = ?", (index, project))


def save_refresh(database: Database, index: str, project: str, at: float, expiry: float) -> None:
    """Store until when the refresh of a project is in force, and drop those that ended ``expiry`` seconds before it.

    Call it within a transaction.
    """
    database.write("DELETE FROM mirror_refresh WHERE at < ? OR at > ?", (at - expiry, at + expiry))
    database.write(
        "INSERT INTO mirror_refresh (index_path, project, at) VALUES (?, ?, ?)"
        " ON CONFLICT (index_path, project) DO UPDATE SET at = excluded.at",
        (index, project, at),
    )


def refreshed_at(database: Database, index: str, project: str) -> float:
    """Return until when the last refresh of a project was in force, in seconds since 1970; 0 if that was long ago."""
    rows = database.read("SELECT at FROM mirror_refresh WHERE index_path = ? AND project = ?", (index, project))
    return float(rows[0][0]) if rows else 0.0


def find_file(database: Database, index: str, path: str) -> tuple[MirroredFile, str] | None:
    """Return a downloaded file and the status of its project (PEP 792)."""
    rows = database.read(
        f"SELECT {FILE_COLUMNS}, p.status FROM mirror_file f LEFT JOIN mirror_page p"  # noqa: S608 - a constant of ours
        " ON p.index_path = f.index_path AND p.project = f.project WHERE f.index_path = ? AND f.path = ?",
        (index, path),
    )
    return (_mirrored_file(*rows[0][:-1]), rows[0][-1] or "") if rows else None


def project_files(database: Database, index: str, project: str) -> list[MirroredFile]:
    """Return all downloaded files of a project."""
    rows = database.read(
        f"SELECT {FILE_COLUMNS} FROM mirror_file f WHERE f.index_path = ? AND f.project = ?",  # noqa: S608 - as above
        (index, project),
    )
    return [_mirrored_file(*row) for row in rows]


def downloads_stamp(database: Database, index: str, project: str) -> tuple[int, str]:
    """Return a value that changes with every downloaded file of a project, or of the whole mirror without one."""
    where, params = ("", (index,)) if not project else (" AND project = ?", (index, project))
    rows = database.read(
        f"SELECT sha256 FROM mirror_file WHERE index_path = ?{where} ORDER BY sha256",  # noqa: S608 - a constant of ours
        params,
    )
    digest = hashlib.sha256("".join(sha256 for (sha256,) in rows).encode())
    return len(rows), digest.hexdigest()


def downloaded_projects(database: Database, index: str) -> list[str]:
    """Return the sorted names of the projects of which files were downloaded."""
    rows = database.read("SELECT DISTINCT project FROM mirror_file WHERE index_path = ?", (index,))
    return sorted(name for (name,) in rows)


def record_file(database: Database, index: str, file: MirroredFile) -> None:
    """Record a downloaded file, unless there is a record of its path already. Call it within a transaction."""
    database.write(
        "INSERT INTO mirror_file (index_path, path, project, version, sha256, size, upload_time)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (index_path, path) DO NOTHING",
        (index, file.path, file.project, file.version, file.stored.sha256, file.stored.size, file.upload_time),
    )


def delete_pages(database: Database, index: str, project: str | None = None) -> int:
    """Delete a project's page, or all pages of a mirror, within a transaction; return the number of pages."""
    if project is None:
        return database.write("DELETE FROM mirror_page WHERE index_path = ?", (index,))
    return database.write("DELETE FROM mirror_page WHERE index_path = ? AND project = ?", (index, project))


def delete_files(
    database: Database, index: str, project: str | None = None, version: str | None = None, path: str | None = None
) -> list[str]:
    """Delete the records of the files that match all given arguments, within a transaction; return their hashes."""
    where, params = "", [index]
    if project is not None:
        where += " AND project = ?"
        params.append(project)
    if version is not None:
        stored = database.read("SELECT DISTINCT version FROM mirror_file WHERE index_path = ?", (index,))
        same = [text for (text,) in stored if version_key(text) == version_key(version)]
        where += f" AND version IN ({', '.join('?' * len(same))})" if same else " AND FALSE"
        params += same
    if path is not None:
        where += " AND path IN (?, ?)"
        params += [path, f"{path}.metadata"]
    rows = database.returning(
        f"DELETE FROM mirror_file WHERE index_path = ?{where} RETURNING sha256",  # noqa: S608 - columns named here
        params,
    )
    return [row[0] for row in rows]


def delete_files_by_hash(database: Database, sha256: str) -> None:
    """Delete the records of all files with that content. Call it within a transaction."""
    database.write("DELETE FROM mirror_file WHERE sha256 = ?", (sha256,))


def has_hash(database: Database, sha256: str) -> bool:
    """Say whether any downloaded file has that content."""
    return bool(database.read("SELECT 1 FROM mirror_file WHERE sha256 = ? LIMIT 1", (sha256,)))


def all_stored_files(database: Database) -> Iterator[tuple[StoredFile, str]]:
    """Yield every downloaded file, with its index and path."""
    for sha256, size, index, path in database.read("SELECT sha256, size, index_path, path FROM mirror_file"):
        yield StoredFile(sha256, size), f"{index}/{path}"


def _mirrored_file(
    path: str, project: str, version: str, sha256: str, size: int, upload_time: str | None
) -> MirroredFile:
    return MirroredFile(path, project, version, StoredFile(sha256, size), upload_time)
