"""Records a copy of a release from another index. Its files are already stored."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import UTC
from typing import Any

from wheelgate import Index, Server
from wheelgate.errors import BadInput
from wheelgate.packages import Release, ReleaseFile, StoredFile, file_path, normalize
from wheelgate_stage import changes
from wheelgate_stage.filenames import parse_filename, parse_version
from wheelgate_stage.inspection import doc_filename, doc_identity
from wheelgate_stage.metadata import merge_version_data
from wheelgate_stage.recording import existing_file, refuse_closed_project

ACTION_DONE = 200
"""The status of a successful action in the action log."""


def copy_release(
    server: Server,
    index: Index,
    release: Release,
    source: Index,
    who: str | None,
    rels: Collection[str],
) -> list[list[Any]]:
    """Record a copy of a release, within a transaction; return the lines of the action log.

    Args:
        server: has the database and the stored files.
        index: the target.
        release: from ``fetch_release`` of the source.
        source: the index of the release.
        who: the user who pushes.
        rels: the kinds of files to copy; see ``ReleaseFile.rel``.

    Raises:
        Conflict: the target is not volatile and has another file of the same name.
        Forbidden: the project on the target accepts no uploads.
    """
    database = server.database
    name = normalize(release.name)
    copied = [(file, file.stored) for file in release.files if file.rel in rels and file.stored is not None]
    server.files.require_stored(stored for _, stored in copied)
    project = changes.lock_or_add_project(database, index.path, name)
    refuse_closed_project(project, name)
    old = changes.find_release(database, project.id, release.version)
    version = old.version if old else release.version
    data = merge_version_data(release.name, version, old.metadata if old else {}, release.metadata, {})
    number = changes.save_release(database, project, old, version, data)
    target = [release.name, version, "->", index.path]
    lines: list[list[Any]] = [[ACTION_DONE, "register", *target]]
    numbers: dict[str, tuple[int, str]] = {}
    for file, stored in sorted(copied, key=lambda pair: pair[0].rel == "toxresult"):  # after the tested files
        if file.rel == "toxresult":
            tested = numbers.get(file.for_path or "")
            if tested is None:
                continue  # the source no longer has the tested file
            new = _new_result(file, stored, who, *tested)
        else:
            new = _new_file(file, stored, who, name, data)
        row = _save_file(server, index, number, new)
        numbers[file.path] = (row, new.path)
        _copy_log(server, file, row)
        changes.add_log_entry(database, row, "push", who, index.path, src=source.path)
    changes.record_change(database, project)
    for file, _ in copied:
        if file.path in numbers:
            place = target if file.rel == "doczip" else [f"{index.path}/{numbers[file.path][1]}"]
            lines.append([ACTION_DONE, f"store_{file.rel}", *place])
    return lines


def _save_file(server: Server, index: Index, release: int, new: changes.NewFile) -> int:
    """Add a file, or replace the stored one of the same identity; return its number."""
    old = changes.find_file(server.database, release, new.identity)
    if old is None:
        return changes.add_file(server.database, index.path, release, new)
    if not index.config.get("volatile", True):
        raise existing_file(new.path.rpartition("/")[2], old)
    changes.replace_file(server, index.path, old, new)
    changes.count_overwrite(server.database, old.id, index.path)
    return old.id


def _copy_log(server: Server, file: ReleaseFile, row: int) -> None:
    """Copy the history of a file, except how often the source overwrote it."""
    for entry in file.log:
        if entry.what != "overwrite":
            at = entry.when.astimezone(UTC).strftime(changes.TIME_FORMAT)
            changes.add_log_entry(
                server.database, row, entry.what, entry.who, entry.dst, at=at, src=entry.src, count=entry.count
            )


def _new_file(
    file: ReleaseFile, stored: StoredFile, who: str | None, project: str, data: Mapping[str, Any]
) -> changes.NewFile:
    version = data["version"]
    docs = file.rel == "doczip"
    metadata = file.core_metadata
    return changes.NewFile(
        file.rel,
        doc_identity(version) if docs else _identity(file.name, project, version),
        file_path(stored.sha256, doc_filename(project, version) if docs else file.name),
        stored,
        file.hashes,
        who,
        file.requires_python or data["requires_python"] or None,
        metadata,
        hashlib.sha256(metadata).hexdigest() if metadata is not None else None,
        file.provenance,
    )


def _new_result(file: ReleaseFile, stored: StoredFile, who: str | None, tested: int, path: str) -> changes.NewFile:
    """Return a test result. It keeps the end of its address, which has the time of the test."""
    address = f"{path}.toxresult{file.path.rpartition('.toxresult')[2]}"
    return changes.NewFile("toxresult", f"result {address}", address, stored, file.hashes, who, tested=tested)


def _identity(filename: str, project: str, version: str) -> str:
    """Return the identity of a file. Mirrors have old files whose names no upload could have."""
    try:
        return parse_filename(filename, project, parse_version(version)).identity
    except BadInput:
        return f"name {filename}"
