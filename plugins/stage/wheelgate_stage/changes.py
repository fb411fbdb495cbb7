"""The statements that change hosted packages. All belong within a transaction, and begin by locking the project.

The locks are taken in one order, project before index, so that two writers on PostgreSQL never wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from wheelgate import Server
from wheelgate.packages import StoredFile
from wheelgate.store.database import Database
from wheelgate_stage.filenames import version_key

LOCK_OR_ADD = """
    INSERT INTO stage_project (index_path, name, present, changed, status, status_reason)
    VALUES (?, ?, 0, 0, 'active', '')
    ON CONFLICT (index_path, name) DO UPDATE SET changed = stage_project.changed
    RETURNING id, index_path, present, status, status_reason
"""
LOCK = """
    UPDATE stage_project SET changed = changed WHERE index_path = ? AND name = ? AND present = 1
    RETURNING id, index_path, present, status, status_reason
"""
COUNT_CHANGE = """
    INSERT INTO stage_index (path, changes, listed) VALUES (?, 1, 1)
    ON CONFLICT (path) DO UPDATE SET changes = stage_index.changes + 1,
        listed = CASE WHEN ? = 1 THEN stage_index.changes + 1 ELSE stage_index.listed END
    RETURNING changes
"""
ADD_FILE = """
    INSERT INTO stage_file (release_id, identity, index_path, path, rel, tested_id, sha256, size, md5, blake2_256,
        uploaded, uploader, requires_python, metadata_sha256, attested)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    RETURNING id
"""
REPLACE_FILE = """
    UPDATE stage_file SET path = ?, sha256 = ?, size = ?, md5 = ?, blake2_256 = ?, uploaded = ?, uploader = ?,
        requires_python = ?, metadata_sha256 = ?, attested = ?
    WHERE id = ?
"""
ADD_LOG = "INSERT INTO stage_log (file_id, what, who, at, dst, src, count) VALUES (?, ?, ?, ?, ?, ?, ?)"


TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
"""How moments are stored: as PEP 700 writes them, so that their order is that of the text."""


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project; once it is locked, nobody else changes it before the transaction ends."""

    id: int
    index: str
    """The index's path."""
    present: int
    """1 if it has a release, else 0."""
    status: str
    status_reason: str


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release that is there."""

    id: int
    version: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that is there."""

    id: int
    path: str
    sha256: str
    uploaded: str


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to record."""

    rel: str
    identity: str
    path: str
    stored: StoredFile
    hashes: Mapping[str, str]
    uploader: str | None
    requires_python: str | None = None
    metadata: bytes | None = None
    metadata_sha256: str | None = None
    provenance: bytes | None = None
    tested: int | None = None
    """The file whose test result it is."""


def now() -> str:
    """Return the time as it is stored."""
    return datetime.now(UTC).strftime(TIME)


def lock_or_add(database: Database, index: str, name: str) -> ProjectRow:
    """Lock a project, which is made if it is not there."""
    return ProjectRow(*database.returning(LOCK_OR_ADD, (index, name))[0])


def lock(database: Database, index: str, name: str) -> ProjectRow | None:
    """Lock a project; None if there is none."""
    rows = database.returning(LOCK, (index, name))
    return ProjectRow(*rows[0]) if rows else None


def mark(database: Database, project: ProjectRow, *, present: bool | None = None) -> None:
    """Give a project, and its index, new stamps. The last statement about it, for others wait from here on.

    ``present`` says whether it has a release, where that is known.
    """
    if present is None:
        sql = "SELECT 1 FROM stage_release WHERE project_id = ? LIMIT 1"
        present = bool(database.read(sql, (project.id,)))
    listed = int(present != bool(project.present))
    ((number,),) = database.returning(COUNT_CHANGE, (project.index, listed))
    if present:
        database.write("UPDATE stage_project SET changed = ?, present = 1 WHERE id = ?", (number, project.id))
    else:
        database.write(
            "UPDATE stage_project SET changed = ?, present = 0, status = 'active', status_reason = '' WHERE id = ?",
            (number, project.id),
        )


def find_project(database: Database, index: str, name: str) -> ProjectRow | None:
    """Return a project as it is at this moment."""
    sql = "SELECT id, index_path, present, status, status_reason FROM stage_project WHERE index_path = ? AND name = ?"
    rows = database.read(sql, (index, name))
    return ProjectRow(*rows[0]) if rows else None


def find_release(database: Database, project: int, version: str) -> ReleaseRow | None:
    """Return a release by any spelling of its version."""
    rows = database.read(
        "SELECT id, version, metadata FROM stage_release WHERE project_id = ? AND version_key = ?",
        (project, version_key(version)),
    )
    return ReleaseRow(rows[0][0], rows[0][1], orjson.loads(rows[0][2])) if rows else None


def save_release(
    database: Database, project: ProjectRow, old: ReleaseRow | None, version: str, metadata: Mapping[str, Any]
) -> int:
    """Add a release, or replace the data of the one that is there; return its number."""
    text = orjson.dumps(metadata).decode()
    if old is not None:
        database.write("UPDATE stage_release SET metadata = ? WHERE id = ?", (text, old.id))
        return old.id
    ((number,),) = database.returning(
        "INSERT INTO stage_release (project_id, version_key, version, metadata) VALUES (?, ?, ?, ?) RETURNING id",
        (project.id, version_key(version), version, text),
    )
    return int(number)


def find_file(database: Database, release: int, identity: str) -> FileRow | None:
    """Return a file of a release."""
    rows = database.read(
        "SELECT id, path, sha256, uploaded FROM stage_file WHERE release_id = ? AND identity = ?", (release, identity)
    )
    return FileRow(*rows[0]) if rows else None


def add_file(database: Database, index: str, release: int, new: NewFile) -> int:
    """Add a file and return its number."""
    place = (release, new.identity, index, new.path, new.rel, new.tested)
    ((number,),) = database.returning(ADD_FILE, (*place, *_bytes(new), now(), *_facts(new)))
    _add_siblings(database, number, new)
    return int(number)


def replace_file(server: Server, index: str, old: FileRow, new: NewFile) -> None:
    """Put a file in the place of another; if it is another indeed, the results of its tests go."""
    same = new.stored.sha256 == old.sha256
    if not same:
        server.files.mark_unreferenced([old.sha256])
        remove_files(server, "tested_id = ?", old.id)
    uploaded = old.uploaded if same else now()
    server.database.write(REPLACE_FILE, (new.path, *_bytes(new), uploaded, *_facts(new), old.id))
    if new.path != old.path:
        server.database.write(
            "INSERT INTO stage_gone (index_path, path) VALUES (?, ?) ON CONFLICT DO NOTHING", (index, old.path)
        )
    server.database.write("DELETE FROM stage_sibling WHERE file_id = ?", (old.id,))
    _add_siblings(server.database, old.id, new)


def add_log(
    database: Database,
    file: int,
    what: str,
    who: str | None,
    dst: str,
    *,
    at: str = "",
    src: str | None = None,
    count: int | None = None,
) -> None:
    """Add a line to a file's history."""
    database.write(ADD_LOG, (file, what, who, at or now(), dst, src, count))


def count_overwrite(database: Database, file: int, dst: str) -> None:
    """Put one line, how often the file was overwritten, in the place of its history, which was that of another."""
    ((before,),) = database.returning(
        "SELECT COALESCE(MAX(count), 0) FROM stage_log WHERE file_id = ? AND what = 'overwrite'", (file,)
    )
    database.write("DELETE FROM stage_log WHERE file_id = ?", (file,))
    add_log(database, file, "overwrite", None, dst, count=before + 1)


def remove_releases(server: Server, releases: Iterable[int]) -> None:
    """Remove releases with all that belongs to them."""
    for release in releases:
        remove_files(server, "release_id = ?", release)
        server.database.write("DELETE FROM stage_release WHERE id = ?", (release,))


def remove_files(server: Server, which: str, value: int | str) -> None:
    """Remove files, remember their addresses, and let the stored ones be looked at.

    Args:
        server: where they are recorded and kept.
        which: a condition of our own in SQL.
        value: what stands for the ``?`` in it.
    """
    hashes = server.database.read(f"SELECT DISTINCT sha256 FROM stage_file WHERE {which}", (value,))  # noqa: S608
    if hashes:
        server.database.write(
            f"INSERT INTO stage_gone (index_path, path) SELECT index_path, path FROM stage_file WHERE {which}"  # noqa: S608
            " ON CONFLICT DO NOTHING",
            (value,),
        )
        server.database.write(f"DELETE FROM stage_file WHERE {which}", (value,))  # noqa: S608
        server.files.mark_unreferenced([sha256 for (sha256,) in hashes])


def forget(server: Server, index: str) -> None:
    """Drop everything of an index, but for the counter: whoever gets the path next begins where it stands."""
    server.database.write("UPDATE stage_project SET changed = changed WHERE index_path = ?", (index,))  # locks them
    server.database.returning(
        COUNT_CHANGE, (index, 1)
    )  # before anything is read, so that no upload comes in behind that
    remove_files(server, "index_path = ?", index)
    server.database.write("DELETE FROM stage_project WHERE index_path = ?", (index,))
    server.database.write("DELETE FROM stage_gone WHERE index_path = ?", (index,))


def _bytes(new: NewFile) -> tuple[Any, ...]:
    return new.stored.sha256, new.stored.size, new.hashes.get("md5"), new.hashes.get("blake2_256")


def _facts(new: NewFile) -> tuple[Any, ...]:
    return new.uploader, new.requires_python, new.metadata_sha256, int(new.provenance is not None)


def _add_siblings(database: Database, file: int, new: NewFile) -> None:
    for kind, content in (("metadata", new.metadata), ("provenance", new.provenance)):
        if content is not None:
            database.write("INSERT INTO stage_sibling (file_id, kind, content) VALUES (?, ?, ?)", (file, kind, content))
