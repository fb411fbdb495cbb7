"""The statements that requests wait for, as bare SQL: peewee takes 0.1 to 0.3 ms to build one, these take 0.01."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from packaging.version import InvalidVersion, Version

from wheelgate.packages import File, LogEntry, Project, Release, ReleaseFile, StoredFile
from wheelgate.store.database import Database

PAGE = """
    SELECT p.status, p.status_reason, r.version, r.yanked, f.path, f.sha256, f.size, f.uploaded, f.requires_python,
        f.metadata_sha256, f.attested
    FROM stage_project p
    JOIN stage_release r ON r.project_id = p.id
    LEFT JOIN stage_file f ON f.release_id = r.id AND f.rel = 'releasefile'
    WHERE p.index_path = ? AND p.name = ?
    ORDER BY f.id
"""
"""One statement, so that a page never shows half of a change."""

RELEASES = """
    SELECT r.id, r.version, r.yanked, r.metadata
    FROM stage_project p JOIN stage_release r ON r.project_id = p.id
    WHERE p.index_path = ? AND p.name = ?
"""

LINKS = """
    SELECT f.release_id, f.id, f.rel, f.path, f.sha256, f.size, f.md5, f.blake2_256, t.path
    FROM stage_project p
    JOIN stage_release r ON r.project_id = p.id
    JOIN stage_file f ON f.release_id = r.id
    LEFT JOIN stage_file t ON t.id = f.tested_id
    WHERE p.index_path = ? AND p.name = ?
    ORDER BY f.id
"""

LOGS = """
    SELECT l.file_id, l.what, l.who, l.at, l.dst, l.src, l.count
    FROM stage_project p
    JOIN stage_release r ON r.project_id = p.id
    JOIN stage_file f ON f.release_id = r.id
    JOIN stage_log l ON l.file_id = f.id
    WHERE p.index_path = ? AND p.name = ?
    ORDER BY l.id
"""

FILE = """
    SELECT f.sha256, f.size, p.status, p.status_reason, p.name
    FROM stage_file f JOIN stage_release r ON r.id = f.release_id JOIN stage_project p ON p.id = r.project_id
    WHERE f.index_path = ? AND f.path = ?
"""

SIBLING = """
    SELECT s.content FROM stage_file f JOIN stage_sibling s ON s.file_id = f.id
    WHERE f.index_path = ? AND f.path = ? AND s.kind = ?
"""
BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is there."""

    stored: StoredFile
    status: str
    """That of its project."""
    status_reason: str
    project: str


def stamp(database: Database, index: str, project: str) -> int:
    """Return a number that grows with every change of a project; without one, of the list of projects."""
    if project:
        rows = database.read("SELECT changed FROM stage_project WHERE index_path = ? AND name = ?", (index, project))
    else:
        rows = database.read("SELECT listed FROM stage_index WHERE path = ?", (index,))
    return int(rows[0][0]) if rows else 0


def names(database: Database, index: str) -> list[str]:
    """Return the projects that have a release, in the order of their names."""
    sql = "SELECT name FROM stage_project WHERE index_path = ? AND present = 1 ORDER BY name"
    return [name for (name,) in database.read(sql, (index,))]


def claims(database: Database, index: str, name: str) -> bool:
    """Say whether there is, or was, a project of that name."""
    return bool(database.read("SELECT 1 FROM stage_project WHERE index_path = ? AND name = ?", (index, name)))


def project(database: Database, index: str, name: str) -> Project | None:
    """Return what a page shows of a project."""
    rows = database.read(PAGE, (index, name))
    if not rows:
        return None
    by_version: dict[str, list[File]] = {}
    for _, _, version, yanked, path, sha256, size, uploaded, requires_python, metadata, attested in rows:
        files = by_version.setdefault(version, [])
        if path is not None:  # a version without files
            files.append(
                File(
                    path.rpartition("/")[2],
                    version,
                    path,
                    {"sha256": sha256},
                    size,
                    uploaded,
                    requires_python,
                    yanked,
                    metadata,
                    f"{path}.provenance" if attested else None,
                )
            )
    versions = in_order(by_version)
    return Project(
        name, tuple(file for version in versions for file in by_version[version]), tuple(versions), *rows[0][:2]
    )


def releases(database: Database, index: str, name: str) -> list[Release]:
    """Return all versions of a project with everything about them."""
    rows = database.read(RELEASES, (index, name))
    if not rows:
        return []
    logs: dict[int, list[LogEntry]] = {}
    for file, what, who, at, dst, src, count in database.read(LOGS, (index, name)):
        logs.setdefault(file, []).append(LogEntry(what, who, datetime.fromisoformat(at), dst, src, count))
    links: dict[int, list[ReleaseFile]] = {}
    for release, file, rel, path, sha256, size, md5, blake2_256, tested in database.read(LINKS, (index, name)):
        hashes = {"sha256": sha256, "md5": md5, "blake2_256": blake2_256}
        links.setdefault(release, []).append(
            ReleaseFile(
                rel,
                path,
                StoredFile(sha256, size),
                {key: value for key, value in hashes.items() if value},
                tuple(logs.get(file, ())),
                tested,
            )
        )
    found = {
        version: _release(version, yanked, metadata, links.get(number, ()))
        for number, version, yanked, metadata in rows
    }
    return [found[version] for version in in_order(found)]


def file(database: Database, index: str, path: str) -> Found | None:
    """Return a file by its address."""
    rows = database.read(FILE, (index, path))
    if not rows:
        return None
    sha256, size, status, reason, name = rows[0]
    return Found(StoredFile(sha256, size), status, reason, name)


def gone(database: Database, index: str, path: str) -> bool:
    """Say whether there was a file at that address."""
    return bool(database.read("SELECT 1 FROM stage_gone WHERE index_path = ? AND path = ?", (index, path)))


def sibling(database: Database, index: str, path: str, kind: str) -> bytes | None:
    """Return what is served beside a file."""
    rows = database.read(SIBLING, (index, path, kind))
    return bytes(rows[0][0]) if rows else None


def siblings(database: Database, index: str, links: Sequence[ReleaseFile]) -> tuple[ReleaseFile, ...]:
    """Return links with what is served beside them, for another index to take."""
    sql = "SELECT requires_python FROM stage_file WHERE index_path = ? AND path = ?"
    return tuple(
        replace(
            link,
            requires_python=next((value for (value,) in database.read(sql, (index, link.path))), None),
            core_metadata=sibling(database, index, link.path, "metadata"),
            provenance=sibling(database, index, link.path, "provenance"),
        )
        for link in links
    )


def refers(database: Database, sha256: str) -> bool:
    """Say whether any file has that hash."""
    return bool(database.read("SELECT 1 FROM stage_file WHERE sha256 = ? LIMIT 1", (sha256,)))


def all_files(database: Database) -> Iterator[tuple[StoredFile, str]]:
    """Name every file that there is, a batch at a time: a large server has millions."""
    last = 0
    sql = "SELECT id, sha256, size, index_path, path FROM stage_file WHERE id > ? ORDER BY id LIMIT ?"
    while rows := database.read(sql, (last, BATCH)):
        for _, sha256, size, index, path in rows:
            yield StoredFile(sha256, size), f"{index}/{path}"
        last = rows[-1][0]


def in_order(versions: Iterable[str]) -> list[str]:
    """Return versions, oldest first; what is no version (PEP 440) is older than all that are."""
    return sorted(versions, key=_rank)


def _rank(version: str) -> tuple[int, Any]:
    try:
        return 1, Version(version)
    except InvalidVersion:
        return 0, version


def _release(version: str, yanked: str | None, metadata: str, links: Iterable[ReleaseFile]) -> Release:
    data = orjson.loads(metadata)
    if yanked is not None:
        data["yanked"] = yanked or True
    return Release(data["name"], version, data, tuple(links))
