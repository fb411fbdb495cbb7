"""Takes the packages of an export over, whatever their age, and hands them out for one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from wheelgate import Index, Server
from wheelgate.errors import BadInput
from wheelgate.packages import (
    InspectedFile,
    LogEntry,
    MovedFile,
    MovedProject,
    MovedRelease,
    ReceivedFile,
    StoredFile,
)
from wheelgate.store.database import Database
from wheelgate.values import FORBIDDEN_IN_TEXT
from wheelgate_stage import changes, queries
from wheelgate_stage.filenames import ARCHIVE_KINDS, OLD_SUFFIXES, parse_filename, parse_version
from wheelgate_stage.inspection import doc_identity
from wheelgate_stage.limits import ArchiveLimits
from wheelgate_stage.metadata import EMPTY_VERSION_DATA, LIST_FIELDS, TEXT_FIELDS, parse_core_metadata
from wheelgate_stage.tars import tar_metadata
from wheelgate_stage.zips import zip_metadata

OTHER_FIELD = re.compile(r"[a-z][a-z0-9_]{0,60}")
"""A key of version data that this server does not know, but shows as it is."""
SELECT_MOVED_RELEASES = """
    SELECT r.id, r.version, r.yanked, r.metadata
    FROM stage_project p JOIN stage_release r ON r.project_id = p.id
    WHERE p.index_path = ? AND p.name = ? ORDER BY r.id
"""
SELECT_MOVED_FILES = """
    SELECT f.release_id, f.id, f.rel, f.path, f.sha256, f.size, f.md5, f.blake2_256, f.uploaded, f.uploader,
        f.requires_python, t.path
    FROM stage_project p
    JOIN stage_release r ON r.project_id = p.id
    JOIN stage_file f ON f.release_id = r.id
    LEFT JOIN stage_file t ON t.id = f.tested_id
    WHERE p.index_path = ? AND p.name = ?
    ORDER BY f.id
"""
SELECT_ALL_PROJECTS = "SELECT name, status, status_reason FROM stage_project WHERE index_path = ? ORDER BY name"


def inspect_moved_file(
    project: str, version: str, name: str, file: ReceivedFile, rel: str, limits: ArchiveLimits
) -> InspectedFile:
    """Look into a file of an export."""
    if rel != "releasefile":
        return InspectedFile()
    kind = next((kind for suffix, kind in ARCHIVE_KINDS.items() if name.endswith(suffix)), "")
    if not kind:
        known = [why for suffix, why in OLD_SUFFIXES.items() if name.lower().endswith(suffix)]
        return InspectedFile(legacy=known[-1] if known else "files of this kind are not accepted")
    try:
        parsed = parse_version(version)
        parse_filename(name, project, parsed)
        if kind == "tar":
            content = tar_metadata(name, file, limits)
        else:
            content = zip_metadata(name, file, kind, project, parsed, limits)
        fields = parse_core_metadata(name, content, project, parsed)
    except BadInput as error:
        return InspectedFile(unreadable=error.message)
    return InspectedFile("", "", fields.get("requires_python") or None, content if kind == "wheel" else None)


def import_project(server: Server, index: Index, project: MovedProject) -> None:
    """Record a project, within a transaction."""
    database = server.database
    row = changes.lock_or_add_project(database, index.path, project.name)
    numbers: dict[str, int] = {}
    for release in project.releases:
        old = changes.find_release(database, row.id, release.version)
        # Two spellings of a version are one release here; the first one keeps its metadata.
        data = old.metadata if old else moved_metadata(release.metadata, project.name, release.version)
        number = changes.save_release(database, row, old, release.version, data)
        if release.yanked is not None:
            database.write("UPDATE stage_release SET yanked = ? WHERE id = ?", (release.yanked, number))
        for file in release.files:
            tested = numbers.get(file.tested) if file.rel == "toxresult" else None
            if file.rel == "toxresult" and tested is None:
                continue  # a result of nothing could not be shown
            new = _new_file(database, number, project.name, release.version, file, tested)
            numbers[file.path] = changes.add_file(database, index.path, number, new)
            for entry in file.log:
                at = entry.when.astimezone(UTC).strftime(changes.TIME_FORMAT)
                changes.add_log_entry(
                    database,
                    numbers[file.path],
                    entry.what,
                    entry.who,
                    entry.dst,
                    at=at,
                    src=entry.src,
                    count=entry.count,
                )
    if project.status != "active":
        sql = "UPDATE stage_project SET status = ?, status_reason = ? WHERE id = ?"
        database.write(sql, (project.status, project.status_reason, row.id))
    if project.releases:
        changes.record_change(database, row)


def moved_metadata(given: Mapping[str, Any], project: str, version: str) -> dict[str, Any]:
    """Return version data as this server keeps them; values of the wrong type are left out."""
    data = dict(EMPTY_VERSION_DATA)
    for key, value in given.items():
        if key in LIST_FIELDS:
            values = [value] if isinstance(value, str) and value else value
            if isinstance(values, list | tuple):
                data[key] = [text for text in values if _is_storable(text)]
        elif key in TEXT_FIELDS:
            data[key] = value if _is_storable(value) else ""
        elif OTHER_FIELD.fullmatch(key):
            values = value if isinstance(value, list) else [value]
            if all(map(_is_storable, values)):
                data[key] = value
    name = data["name"] or project
    return data | {"name": name, "version": version}


def moved_projects(database: Database, index: Index) -> Iterator[MovedProject]:
    """Yield all projects of an index. Those that had a release once have none."""
    for name, status, reason in database.read(SELECT_ALL_PROJECTS, (index.path,)):
        files = _moved_files(database, index.path, name)
        releases = tuple(
            MovedRelease(version, orjson.loads(metadata), tuple(files.get(number, ())), yanked)
            for number, version, yanked, metadata in database.read(SELECT_MOVED_RELEASES, (index.path, name))
        )
        yield MovedProject(name, releases, status, reason)


def _moved_files(database: Database, index: str, name: str) -> dict[int, list[MovedFile]]:
    """Return the files of a project by the numbers of their releases."""
    logs: dict[int, list[LogEntry]] = {}
    for file, what, who, at, dst, src, count in database.read(queries.SELECT_LOGS, (index, name)):
        logs.setdefault(file, []).append(LogEntry(what, who, datetime.fromisoformat(at), dst, src, count))
    found: dict[int, list[MovedFile]] = {}
    for release, file, rel, path, sha256, size, md5, blake2_256, *rest in database.read(
        SELECT_MOVED_FILES, (index, name)
    ):
        uploaded, uploader, requires_python, tested = rest
        hashes = {"sha256": sha256, "md5": md5, "blake2_256": blake2_256}
        moved = MovedFile(
            rel,
            path,
            StoredFile(sha256, size),
            {key: value for key, value in hashes.items() if value},
            uploaded,
            uploader,
            tuple(logs.get(file, ())),
            tested or "",
            "",
            requires_python,
            queries.find_sibling(database, index, path, "metadata"),
            queries.find_sibling(database, index, path, "provenance"),
        )
        found.setdefault(release, []).append(moved)
    return found


def _new_file(
    database: Database, release: int, project: str, version: str, file: MovedFile, tested: int | None
) -> changes.NewFile:
    metadata = file.core_metadata
    return changes.NewFile(
        file.rel,
        _identity(database, release, project, version, file),
        file.path,
        file.stored,
        file.hashes,
        file.uploader,
        file.requires_python,
        metadata,
        hashlib.sha256(metadata).hexdigest() if metadata is not None else None,
        file.provenance,
        tested,
        file.uploaded,
    )


def _identity(database: Database, release: int, project: str, version: str, file: MovedFile) -> str:
    """Return an identity that no other file of the release has: another server may have had two spellings of one."""
    if file.rel == "toxresult":
        return f"result {file.path}"
    identity = doc_identity(version) if file.rel == "doczip" else f"name {file.name}"
    if file.rel == "releasefile":
        try:
            identity = parse_filename(file.name, project, parse_version(version), old_archives=True).identity
        except BadInput:
            identity = f"name {file.name}"
    return identity if changes.find_file(database, release, identity) is None else f"path {file.path}"


def _is_storable(value: Any) -> bool:
    return isinstance(value, str) and not FORBIDDEN_IN_TEXT.search(value)
