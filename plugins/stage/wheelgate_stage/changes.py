"""SQL statements that change hosted packages. Each change runs in a transaction, which first locks the project.

Every writer locks the project before the index, so that two of them never wait for each other on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from wheelgate import Server
from wheelgate.packages import StoredFile, version_key
from wheelgate.store.database import Database

LOCK_OR_ADD_PROJECT = """
    INSERT INTO stage_project (index_path, name, present, changed, status, status_reason)
    VALUES (?, ?, 0, 0, 'active', '')
    ON CONFLICT (index_path, name) DO UPDATE SET changed = stage_project.changed
    RETURNING id, index_path, present, status, status_reason
"""
LOCK_PROJECT = """
    UPDATE stage_project SET changed = changed WHERE index_path = ? AND name = ? AND present = 1
    RETURNING id, index_path, present, status, status_reason
"""
COUNT_CHANGE = """
    INSERT INTO stage_index (path, changes, listed) VALUES (?, 1, 1)
    ON CONFLICT (path) DO UPDATE SET changes = stage_index.changes + 1,
        listed = CASE WHEN ? = 1 THEN stage_index.changes + 1 ELSE stage_index.listed END
    RETURNING changes
"""
INSERT_FILE = """
    INSERT INTO stage_file (release_id, identity, index_path, path, rel, tested_id, sha256, size, md5, blake2_256,
        uploaded, uploader, requires_python, metadata_sha256, attested)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    RETURNING id
"""
UPDATE_FILE = """
    UPDATE stage_file SET path = ?, sha256 = ?, size = ?, md5 = ?, blake2_256 = ?, uploaded = ?, uploader = ?,
        requires_python = ?, metadata_sha256 = ?, attested = ?
    WHERE id = ?
"""
INSERT_LOG_ENTRY = "INSERT INTO stage_log (file_id, what, who, at, dst, src, count) VALUES (?, ?, ?, ?, ?, ?, ?)"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
"""The stored form of times, as in PEP 700: sorted as text, they are in order."""


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project. While it is locked, no other transaction changes it."""

    id: int
    index: str
    """The index's path."""
    present: int
    """1 if the project has a release, else 0."""
    status: str
    status_reason: str


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A stored release."""

    id: int
    version: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FileRow:
    """A stored file."""

    id: int
    path: str
    sha256: str
    uploaded: str


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to record."""

    rel: str
    """``releasefile``, ``doczip`` or ``toxresult``."""
    identity: str
    """The same for all spellings of the file's name; unique in its release."""
    path: str
    stored: StoredFile
    hashes: Mapping[str, str]
    uploader: str | None
    requires_python: str | None = None
    metadata: bytes | None = None
    metadata_sha256: str | None = None
    provenance: bytes | None = None
    tested: int | None = None
    """For a test result: the number of the tested file."""
    uploaded: str = ""
    """When it was uploaded, in the stored form; empty stands for the present."""


def current_timestamp() -> str:
    """Return the current time in its stored form."""
    return datetime.now(UTC).strftime(TIME_FORMAT)


def lock_or_add_project(database: Database, index: str, name: str) -> ProjectRow:
    """Lock a project. A missing one is added, without a release."""
    return ProjectRow(*database.returning(LOCK_OR_ADD_PROJECT, (index, name))[0])


def lock_project(database: Database, index: str, name: str) -> ProjectRow | None:
    """Lock a project that has a release; None if there is none."""
    rows = database.returning(LOCK_PROJECT, (index, name))
    return ProjectRow(*rows[0]) if rows else None


def record_change(database: Database, project: ProjectRow, *, present: bool | None = None) -> None:
    """Give a project and its index new stamps. Call it last, since it locks the index for all other writers.

    ``present`` says whether the project has a release; None looks it up.
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
    """Return a project without locking it."""
    sql = "SELECT id, index_path, present, status, status_reason FROM stage_project WHERE index_path = ? AND name = ?"
    rows = database.read(sql, (index, name))
    return ProjectRow(*rows[0]) if rows else None


def find_release(database: Database, project: int, version: str) -> ReleaseRow | None:
    """Return a release by any spelling of its version; None if there is none."""
    rows = database.read(
        "SELECT id, version, metadata FROM stage_release WHERE project_id = ? AND version_key = ?",
        (project, version_key(version)),
    )
    return ReleaseRow(rows[0][0], rows[0][1], orjson.loads(rows[0][2])) if rows else None


def save_release(
    database: Database, project: ProjectRow, old: ReleaseRow | None, version: str, metadata: Mapping[str, Any]
) -> int:
    """Add a release, or replace the data of the old one; return its number."""
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
    """Return a file of a release; None if there is none."""
    rows = database.read(
        "SELECT id, path, sha256, uploaded FROM stage_file WHERE release_id = ? AND identity = ?", (release, identity)
    )
    return FileRow(*rows[0]) if rows else None


def add_file(database: Database, index: str, release: int, new: NewFile) -> int:
    """Add a file and return its number."""
    key = (release, new.identity, index, new.path, new.rel, new.tested)
    ((number,),) = database.returning(
        INSERT_FILE, (*key, *_content_values(new), new.uploaded or current_timestamp(), *_metadata_values(new))
    )
    _add_siblings(database, number, new)
    return int(number)


def replace_file(server: Server, index: str, old: FileRow, new: NewFile) -> None:
    """Replace a file. Its test results are deleted if the content is another."""
    same = new.stored.sha256 == old.sha256
    if not same:
        server.files.mark_unreferenced([old.sha256])
        remove_files(server, "tested_id = ?", old.id)
    uploaded = old.uploaded if same else current_timestamp()
    server.database.write(UPDATE_FILE, (new.path, *_content_values(new), uploaded, *_metadata_values(new), old.id))
    if new.path != old.path:
        server.database.write(
            "INSERT INTO stage_gone (index_path, path) VALUES (?, ?) ON CONFLICT DO NOTHING", (index, old.path)
        )
    server.database.write("DELETE FROM stage_sibling WHERE file_id = ?", (old.id,))
    _add_siblings(server.database, old.id, new)


def add_log_entry(
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
    """Add an entry to the history of a file. ``at`` is a time in its stored form; the current time if empty."""
    database.write(INSERT_LOG_ENTRY, (file, what, who, at or current_timestamp(), dst, src, count))


def count_overwrite(database: Database, file: int, dst: str) -> None:
    """Replace the history of an overwritten file with one entry: how often it was overwritten."""
    ((before,),) = database.returning(
        "SELECT COALESCE(MAX(count), 0) FROM stage_log WHERE file_id = ? AND what = 'overwrite'", (file,)
    )
    database.write("DELETE FROM stage_log WHERE file_id = ?", (file,))
    add_log_entry(database, file, "overwrite", None, dst, count=before + 1)


def remove_releases(server: Server, releases: Iterable[int]) -> None:
    """Remove releases with all their files."""
    for release in releases:
        remove_files(server, "release_id = ?", release)
        server.database.write("DELETE FROM stage_release WHERE id = ?", (release,))


def remove_files(server: Server, condition: str, value: int | str) -> None:
    """Remove files, remember their addresses, and mark their content as unreferenced.

    Args:
        server: has the database and the stored files.
        condition: SQL of this plugin, never from a request.
        value: replaces the ``?`` in the condition.
    """
    hashes = server.database.read(f"SELECT DISTINCT sha256 FROM stage_file WHERE {condition}", (value,))  # noqa: S608
    if hashes:
        server.database.write(
            f"INSERT INTO stage_gone (index_path, path) SELECT index_path, path FROM stage_file WHERE {condition}"  # noqa: S608
            " ON CONFLICT DO NOTHING",
            (value,),
        )
        server.database.write(f"DELETE FROM stage_file WHERE {condition}", (value,))  # noqa: S608
        server.files.mark_unreferenced([sha256 for (sha256,) in hashes])


def delete_index(server: Server, index: str) -> None:
    """Remove everything of an index except its counter, which a later index of the same path continues."""
    # Lock all projects, then the index, before anything is read, so that no upload can slip in after that.
    server.database.write("UPDATE stage_project SET changed = changed WHERE index_path = ?", (index,))
    server.database.returning(COUNT_CHANGE, (index, 1))
    remove_files(server, "index_path = ?", index)
    server.database.write("DELETE FROM stage_project WHERE index_path = ?", (index,))
    server.database.write("DELETE FROM stage_gone WHERE index_path = ?", (index,))


def _content_values(new: NewFile) -> tuple[Any, ...]:
    return new.stored.sha256, new.stored.size, new.hashes.get("md5"), new.hashes.get("blake2_256")


def _metadata_values(new: NewFile) -> tuple[Any, ...]:
    return new.uploader, new.requires_python, new.metadata_sha256, int(new.provenance is not None)


def _add_siblings(database: Database, file: int, new: NewFile) -> None:
    for kind, content in (("metadata", new.metadata), ("provenance", new.provenance)):
        if content is not None:
            database.write("INSERT INTO stage_sibling (file_id, kind, content) VALUES (?, ?, ?)", (file, kind, content))
