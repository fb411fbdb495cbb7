"""The packages of hosted indices, as the core asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from wheelgate import Index, Server
from wheelgate.errors import BadInput, Forbidden, Gone, NotFound
from wheelgate.packages import (
    STATUSES,
    CheckedUpload,
    Project,
    ProjectList,
    ReceivedFile,
    RecordedUpload,
    Release,
    StoredFile,
    UploadForm,
    normalize,
    version_key,
)
from wheelgate_stage import changes, queries
from wheelgate_stage.inspection import inspect_upload
from wheelgate_stage.limits import ArchiveLimits
from wheelgate_stage.pushing import copy_release
from wheelgate_stage.recording import record_upload, refuse_early
from wheelgate_stage.upload_checks import checks_of

QUARANTINED = "quarantined"
"""The status of a project whose files are held back (PEP 792)."""


class StagePackages:
    """Packages in the server's database and file storage; see :class:`wheelgate.packages.PackageTarget`."""

    last = False

    def __init__(self, server: Server) -> None:
        self._server = server
        self._database = server.database
        self._limits = ArchiveLimits(server.config["max-archive-entries"])
        self.instant = server.database.instant

    def stamp(self, index: Index, project: str = "") -> int:
        """Return a number that grows with every change of a project, or of the list of projects."""
        return queries.project_stamp(self._database, index.path, project)

    def local_stamp(self, index: Index, project: str = "") -> int:
        """Return a number that grows with every change of a project, or of any project of the index."""
        if project:
            return queries.project_stamp(self._database, index.path, project)
        return queries.count_changes(self._database, index.path)

    def local_projects(self, index: Index) -> Sequence[str]:
        """Return the names of all projects that have a release."""
        return queries.project_names(self._database, index.path)

    def local_releases(self, index: Index, name: str) -> Sequence[Release]:
        """Return all versions of a project, oldest first."""
        return queries.load_releases(self._database, index.path, name)

    def projects(self, index: Index) -> ProjectList:
        """Return the names of all projects that have a release."""
        return ProjectList(queries.project_names(self._database, index.path))

    def project(self, index: Index, name: str) -> Project | None:
        """Return a project; None if the index has none of that name."""
        return queries.load_project(self._database, index.path, name)

    def claims(self, index: Index, name: str) -> bool:
        """Say whether the index has, or had, a project of that name."""
        return queries.has_claimed(self._database, index.path, name)

    def releases(self, index: Index, name: str) -> Sequence[Release]:
        """Return all versions of a project, oldest first."""
        return queries.load_releases(self._database, index.path, name)

    def open(self, index: Index, path: str) -> StoredFile:
        """Return the file at ``path``."""
        return self._find_file(index, path).stored

    def core_metadata(self, index: Index, path: str) -> bytes:
        """Return the core metadata of the wheel at ``path``."""
        return self._sibling(index, path, "metadata", "core metadata")

    def provenance(self, index: Index, path: str) -> bytes:
        """Return the provenance of the file at ``path``."""
        return self._sibling(index, path, "provenance", "provenance")

    def fetch_release(self, index: Index, name: str, version: str) -> Release:
        """Return one release. All of its files are stored already."""
        project = changes.find_project(self._database, index.path, name)
        if project is not None and project.status == QUARANTINED:
            raise held_back(index, name, project.status_reason)
        key = version_key(version)
        for release in queries.load_releases(self._database, index.path, name):
            if version_key(release.version) == key:
                files = queries.with_siblings(self._database, index.path, release.files)
                return replace(release, files=files)
        raise NotFound(f"The version {version} of project {name} does not exist on {index.path}.")

    def refresh(self, index: Index, name: str) -> None:
        """Do nothing: a hosted index has no upstream."""

    def check_upload(self, index: Index, form: UploadForm, file: ReceivedFile | None) -> CheckedUpload:
        """Check an upload before its file is stored."""
        latest = None
        if form.action == "doc_upload" and "version" not in form.fields:
            project = self.project(index, normalize(form.first("name")))
            latest = project.versions[-1] if project else None
        checked = inspect_upload(form, file, latest, checks_of(index, self._limits))
        # A small file is in memory, and record_upload refuses it soon enough.
        if file is not None and file.content is None:
            refuse_early(self._database, index, checked)
        return checked

    def record_upload(self, index: Index, upload: CheckedUpload, who: str | None) -> RecordedUpload:
        """Record an upload whose file is stored."""
        recorded = record_upload(self._server, self._current(index), upload, who)
        self._check_index_again(index)
        return recorded

    def copy_release(
        self, index: Index, release: Release, source: Index, who: str | None, *, files: bool, docs: bool
    ) -> list[list[Any]]:
        """Record a copy of a release of another index."""
        rels = {"releasefile", "toxresult"} if files else set[str]()
        rels |= {"doczip"} if docs else set()
        lines = copy_release(self._server, self._current(index), release, source, who, rels)
        self._check_index_again(index)
        return lines

    def yank(self, index: Index, name: str, version: str, reason: str | None) -> None:
        """Yank a version with its present and future files; a reason of None undoes it."""
        project = self._lock_project(index, name)
        release = self._find_release(index, name, project, version)
        self._database.write("UPDATE stage_release SET yanked = ? WHERE id = ?", (reason, release.id))
        changes.record_change(self._database, project)

    def set_status(self, index: Index, name: str, status: str, reason: str) -> None:
        """Set the status of a project."""
        if status not in STATUSES:
            raise BadInput(f"'status' must be one of {', '.join(STATUSES)}, not {status[:40]!a}")
        project = self._lock_project(index, name)
        sql = "UPDATE stage_project SET status = ?, status_reason = ? WHERE id = ?"
        self._database.write(sql, (status, reason, project.id))
        changes.record_change(self._database, project)

    def add_test_result(self, index: Index, path: str, result: StoredFile, who: str | None) -> str:
        """Record a test result of the file at ``path``; return the result's address."""
        tested = self._find_file(index, path)
        project = self._lock_project(index, tested.project)
        rows = self._database.read(
            "SELECT id, release_id FROM stage_file WHERE index_path = ? AND path = ? AND rel = 'releasefile'",
            (index.path, path),
        )
        if not rows:
            raise NotFound(f"no release file found at {index.path}/{path}")
        file, release = rows[0]
        address = self._next_result_path(index, f"{path}.toxresult-{datetime.now(UTC):%Y%m%d%H%M%S}-")
        new = changes.NewFile("toxresult", f"result {address}", address, result, {}, who, tested=file)
        number = changes.add_file(self._database, index.path, release, new)
        changes.add_log_entry(self._database, number, "upload", who, index.path)
        changes.record_change(self._database, project)
        return address

    def delete(self, index: Index, name: str, version: str | None = None, path: str | None = None) -> None:
        """Remove a project, a version or a file, and a version or project that is empty after that."""
        if path is not None:
            self._delete_file(index, path)
            return
        project = self._lock_project(index, name)
        if version is None:
            rows = self._database.read("SELECT id FROM stage_release WHERE project_id = ?", (project.id,))
            releases = [number for (number,) in rows]
        else:
            releases = [self._find_release(index, name, project, version).id]
        changes.remove_releases(self._server, releases)
        changes.record_change(self._database, project)

    def forget(self, index: Index) -> None:
        """Remove everything of an index that is being deleted."""
        changes.delete_index(self._server, index.path)

    def references(self, sha256: str) -> bool:
        """Say whether any file has that hash."""
        return queries.has_hash(self._database, sha256)

    def stored_files(self) -> Iterator[tuple[StoredFile, str]]:
        """Yield every file."""
        return queries.all_stored_files(self._database)

    def mark_lost(self, sha256: str) -> None:
        """Remove files whose content is lost. Their versions stay, so that users can upload the files again."""
        places = self._database.read(
            "SELECT DISTINCT f.index_path, p.name FROM stage_file f JOIN stage_release r ON r.id = f.release_id"
            " JOIN stage_project p ON p.id = r.project_id WHERE f.sha256 = ? ORDER BY f.index_path, p.name",
            (sha256,),
        )
        projects = [changes.lock_or_add_project(self._database, *place) for place in places]
        changes.remove_files(self._server, "sha256 = ?", sha256)
        for project in projects:
            changes.record_change(self._database, project)

    def _check_index_again(self, index: Index) -> None:
        """Raise ``NotFound`` if the index was deleted while something was recorded on it.

        That can happen on PostgreSQL. The deletion changes the index's counter before it reads anything, and the
        upload's own change of the counter waits for it, so this check sees the deletion. SQLite has a single writer.
        """
        if self._database.kind != "sqlite":
            self._current(index)

    def _current(self, index: Index) -> Index:
        """Return an index as it is now: it may have changed during the upload."""
        current = self._server.indices.get(index.owner, index.name)
        if current is None or current.type != index.type:
            raise NotFound(f"index {index.path} was deleted in the meantime")
        return current

    def _find_file(self, index: Index, path: str) -> queries.HostedFile:
        """Return a file. Raise ``Gone``, ``NotFound``, or ``Forbidden`` if it is held back."""
        found = queries.file_at(self._database, index.path, path)
        if found is None:
            if queries.was_deleted(self._database, index.path, path):
                raise Gone(f"{index.path}/{path} was here and has been removed")
            raise NotFound(f"no such file: {index.path}/{path}")
        if found.status == QUARANTINED:
            raise held_back(index, found.project, found.status_reason)
        return found

    def _sibling(self, index: Index, path: str, kind: str, label: str) -> bytes:
        self._find_file(index, path)
        content = queries.find_sibling(self._database, index.path, path, kind)
        if content is None:
            raise NotFound(f"there is no {label} of {index.path}/{path}")
        return content

    def _lock_project(self, index: Index, name: str) -> changes.ProjectRow:
        project = changes.lock_project(self._database, index.path, name)
        if project is None:
            raise NotFound(f"project '{name}' not found on {index.path}")
        return project

    def _find_release(self, index: Index, name: str, project: changes.ProjectRow, version: str) -> changes.ReleaseRow:
        release = changes.find_release(self._database, project.id, version)
        if release is None:
            raise NotFound(f"version {version[:80]!a} of project '{name}' not found on stage '{index.path}'")
        return release

    def _next_result_path(self, index: Index, prefix: str) -> str:
        """Return an unused address for a test result."""
        rows = self._database.read(
            "SELECT path FROM stage_file WHERE index_path = ? AND path >= ? AND path < ?",
            (index.path, prefix, f"{prefix}:"),  # ":" follows "9"
        )
        return f"{prefix}{max((int(path.removeprefix(prefix)) for (path,) in rows), default=-1) + 1}"

    def _delete_file(self, index: Index, path: str) -> None:
        """Remove one file; a version without release files goes too."""
        found = queries.file_at(self._database, index.path, path)
        project = changes.lock_project(self._database, index.path, found.project) if found else None
        rows = self._database.read(
            "SELECT id, release_id, rel FROM stage_file WHERE index_path = ? AND path = ?", (index.path, path)
        )
        if project is None or not rows:
            self._find_file(index, path)
            raise NotFound(f"no such file: {index.path}/{path}")
        number, release, rel = rows[0]
        left = self._database.read(
            "SELECT 1 FROM stage_file WHERE release_id = ? AND rel = 'releasefile' AND id <> ? LIMIT 1",
            (release, number),
        )
        if rel == "releasefile" and not left:
            changes.remove_releases(self._server, [release])
        else:
            changes.remove_files(self._server, "tested_id = ?", number)
            changes.remove_files(self._server, "id = ?", number)
        changes.record_change(self._database, project)


def held_back(index: Index, project: str, reason: str) -> Forbidden:
    """Return the refusal of a file of a project in quarantine."""
    why = f": {reason}" if reason else ""
    return Forbidden(f"project '{project}' on {index.path} is quarantined{why}; its files are held back")
