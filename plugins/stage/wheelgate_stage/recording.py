"""Records an upload whose file is kept already, unless something has come in between."""

from __future__ import annotations

import hashlib

from wheelgate import Index, Server
from wheelgate.errors import Conflict, Forbidden
from wheelgate.packages import CheckedUpload, ReceivedFile, RecordedUpload
from wheelgate.store.database import Database
from wheelgate_stage import changes
from wheelgate_stage.inspection import Upload
from wheelgate_stage.metadata import version_data

CLOSED = {"archived", "quarantined"}
"""Projects of these statuses take no files (PEP 792)."""
IDENTICAL = "Upload of identical file to non volatile index."


def record(server: Server, index: Index, inspected: CheckedUpload, who: str | None) -> RecordedUpload:
    """Record an upload, within a transaction.

    Raises:
        Conflict: the file is there already, on an index that keeps what it has.
        Forbidden: the project takes no files.
    """
    database = server.database
    upload: Upload = inspected.detail
    project = changes.lock_or_add(database, index.path, inspected.project)
    refuse_closed(project, inspected.project)
    release = changes.find_release(database, project.id, inspected.version)
    version = release.version if release else inspected.version
    new = _new_file(upload, inspected.filename, inspected.file, who) if inspected.file else None
    old = changes.find_file(database, release.id, upload.identity) if release and new else None
    if old and stands(index, inspected, old):
        return RecordedUpload(inspected.project, version, old.path, IDENTICAL)
    data = version_data(upload.name, version, release.metadata if release else {}, upload.sent, upload.core)
    number = changes.save_release(database, project, release, version, data)
    if new and old:
        changes.replace_file(server, index.path, old, new)
        changes.count_overwrite(database, old.id, index.path)
        changes.add_log(database, old.id, "upload", who, index.path)
    elif new:
        changes.add_log(database, changes.add_file(database, index.path, number, new), "upload", who, index.path)
    changes.mark(database, project, present=True)
    return RecordedUpload(inspected.project, version, new.path if new else "")


def refuse_early(database: Database, index: Index, inspected: CheckedUpload) -> None:
    """Refuse an upload before its file is kept if it is clear by now that it will be refused."""
    project = changes.find_project(database, index.path, inspected.project)
    if project is None:
        return
    refuse_closed(project, inspected.project)
    release = changes.find_release(database, project.id, inspected.version)
    upload: Upload = inspected.detail
    old = changes.find_file(database, release.id, upload.identity) if release and inspected.file else None
    if old:
        stands(index, inspected, old)


def stands(index: Index, inspected: CheckedUpload, old: changes.FileRow) -> bool:
    """Say whether the file that is there stays because it is the very one; raise ``Conflict`` if it stays anyhow."""
    if index.config.get("volatile", True) or inspected.file is None:
        return False
    if inspected.file.stored.sha256 != old.sha256:
        raise exists(inspected.filename, old)
    return True


def refuse_closed(project: changes.ProjectRow, name: str) -> None:
    """Raise ``Forbidden`` if a project takes no files."""
    if project.status in CLOSED:
        reason = f" ({project.status_reason})" if project.status_reason else ""
        raise Forbidden(
            f"project '{name}' on {project.index} is {project.status}{reason} and takes no uploads; set its status to"
            " active first"
        )


def exists(filename: str, old: changes.FileRow) -> Conflict:
    """Return what somebody is told who uploads a file that must not be replaced."""
    there = old.path.rpartition("/")[2]
    spelt = "" if there == filename else f" (as '{there}')"
    return Conflict(f"{filename} already exists in non-volatile index{spelt}; raise the version and upload that")


def file_path(sha256: str, filename: str) -> str:
    """Return the address of a file below its index."""
    return f"+f/{sha256[:3]}/{sha256[3:16]}/{filename}"


def _new_file(upload: Upload, filename: str, file: ReceivedFile, who: str | None) -> changes.NewFile:
    return changes.NewFile(
        upload.rel,
        upload.identity,
        file_path(file.stored.sha256, filename),
        file.stored,
        upload.hashes,
        who,
        upload.core.get("requires_python") or upload.sent.get("requires_python") or None,
        upload.metadata,
        hashlib.sha256(upload.metadata).hexdigest() if upload.metadata is not None else None,
        upload.provenance,
    )
