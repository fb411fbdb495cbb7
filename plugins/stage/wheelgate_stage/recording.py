"""Records checked uploads, unless another change in the meantime makes one invalid."""

from __future__ import annotations

import hashlib

from wheelgate import Index, Server
from wheelgate.errors import Conflict, Forbidden
from wheelgate.packages import CheckedUpload, ReceivedFile, RecordedUpload, file_path
from wheelgate.store.database import Database
from wheelgate_stage import changes
from wheelgate_stage.inspection import UploadDetails
from wheelgate_stage.metadata import merge_version_data

CLOSED_STATUSES = {"archived", "quarantined"}
"""The statuses of projects that accept no uploads (PEP 792)."""
IDENTICAL_FILE_NOTE = "Upload of identical file to non volatile index."
"""What the uploader of a file that is already stored sees; clients know this text."""


def record_upload(server: Server, index: Index, checked: CheckedUpload, who: str | None) -> RecordedUpload:
    """Record an upload, within a transaction.

    Raises:
        Conflict: a non-volatile index has another file of this name.
        Forbidden: the project accepts no uploads.
    """
    database = server.database
    details: UploadDetails = checked.detail
    project = changes.lock_or_add_project(database, index.path, checked.project)
    refuse_closed_project(project, checked.project)
    release = changes.find_release(database, project.id, checked.version)
    version = release.version if release else checked.version
    new = _new_file(details, checked.filename, checked.file, who) if checked.file else None
    old = changes.find_file(database, release.id, details.identity) if release and new else None
    if old and must_keep(index, checked, old):
        return RecordedUpload(checked.project, version, old.path, IDENTICAL_FILE_NOTE, "kept")
    data = merge_version_data(details.name, version, release.metadata if release else {}, details.sent, details.core)
    number = changes.save_release(database, project, release, version, data)
    if new and old:
        changes.replace_file(server, index.path, old, new)
        changes.count_overwrite(database, old.id, index.path)
        changes.add_log_entry(database, old.id, "upload", who, index.path)
    elif new:
        file = changes.add_file(database, index.path, number, new)
        changes.add_log_entry(database, file, "upload", who, index.path, at=details.uploaded)
    changes.record_change(database, project, present=True)
    return RecordedUpload(checked.project, version, new.path if new else "", outcome="replaced" if old else "uploaded")


def refuse_early(database: Database, index: Index, checked: CheckedUpload) -> None:
    """Refuse an upload before its file is stored, if :func:`record_upload` would refuse it now.

    Raises:
        Conflict: as there.
        Forbidden: as there.
    """
    project = changes.find_project(database, index.path, checked.project)
    if project is None:
        return
    refuse_closed_project(project, checked.project)
    release = changes.find_release(database, project.id, checked.version)
    details: UploadDetails = checked.detail
    old = changes.find_file(database, release.id, details.identity) if release and checked.file else None
    if old:
        must_keep(index, checked, old)


def must_keep(index: Index, checked: CheckedUpload, old: changes.FileRow) -> bool:
    """Say whether the stored file stays because the upload has the same content.

    Raises:
        Conflict: the content is another, and the index is not volatile.
    """
    if index.config.get("volatile", True) or checked.file is None:
        return False
    if checked.file.stored.sha256 != old.sha256:
        raise existing_file(checked.filename, old)
    return True


def refuse_closed_project(project: changes.ProjectRow, name: str) -> None:
    """Raise ``Forbidden`` if a project accepts no uploads."""
    if project.status in CLOSED_STATUSES:
        reason = f" ({project.status_reason})" if project.status_reason else ""
        raise Forbidden(
            f"project '{name}' on {project.index} is {project.status}{reason} and accepts no uploads; set its status to"
            " active first"
        )


def existing_file(filename: str, old: changes.FileRow) -> Conflict:
    """Return the error for an upload of a file that must not be replaced."""
    stored_name = old.path.rpartition("/")[2]
    spelling = "" if stored_name == filename else f" (as '{stored_name}')"
    return Conflict(f"{filename} already exists in non-volatile index{spelling}; raise the version and upload that")


def _new_file(details: UploadDetails, filename: str, file: ReceivedFile, who: str | None) -> changes.NewFile:
    return changes.NewFile(
        details.rel,
        details.identity,
        file_path(file.stored.sha256, filename),
        file.stored,
        details.hashes,
        who,
        details.core.get("requires_python") or details.sent.get("requires_python") or None,
        details.metadata,
        hashlib.sha256(details.metadata).hexdigest() if details.metadata is not None else None,
        details.provenance,
        uploaded=details.uploaded,
    )
