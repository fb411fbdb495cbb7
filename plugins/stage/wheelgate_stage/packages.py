"""The packages of hosted indices, as core asks for them."""

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
)
from wheelgate_stage import changes, queries
from wheelgate_stage.filenames import version_key
from wheelgate_stage.inspection import inspect_upload
from wheelgate_stage.pushing import take
from wheelgate_stage.recording import record, refuse_early


class StagePackages:
    """Keeps packages in the server's database and files; see :class:`wheelgate.packages.PackageTarget`."""

    last = False

    def __init__(self, server: Server) -> None:
        self._server = server
        self._database = server.database
        self.instant = server.database.instant

    def stamp(self, index: Index, project: str = "") -> int:
        """Return a number that grows with every change; see ``PackageSource``."""
        return queries.stamp(self._database, index.path, project)

    def projects(self, index: Index) -> ProjectList:
        """Return the names of all projects that have a release."""
        return ProjectList(queries.names(self._database, index.path))

    def project(self, index: Index, name: str) -> Project | None:
        """Return a project; None if the index has none of that name."""
        return queries.project(self._database, index.path, name)

    def claims(self, index: Index, name: str) -> bool:
        """Say whether the index has, or had, a project of that name."""
        return queries.claims(self._database, index.path, name)

    def releases(self, index: Index, name: str) -> Sequence[Release]:
        """Return all versions of a project, oldest first."""
        return queries.releases(self._database, index.path, name)

    def open(self, index: Index, path: str) -> StoredFile:
        """Return the file at ``path``."""
        return self._found(index, path).stored

    def core_metadata(self, index: Index, path: str) -> bytes:
        """Return the core metadata of the wheel at ``path``."""
        return self._sibling(index, path, "metadata", "core metadata")

    def provenance(self, index: Index, path: str) -> bytes:
        """Return the provenance of the file at ``path``."""
        return self._sibling(index, path, "provenance", "provenance")

    def fetch_release(self, index: Index, name: str, version: str) -> Release:
        """Return one release; everything of it is at hand."""
        key = version_key(version)
        for release in queries.releases(self._database, index.path, name):
            if version_key(release.version) == key:
                links = queries.siblings(self._database, index.path, release.files)
                return replace(release, files=links)
        raise NotFound(f"The version {version} of project {name} does not exist on {index.path}.")

    def refresh(self, index: Index, name: str) -> None:
        """Do nothing: what is hosted here is as new as it can be."""

    def check_upload(self, index: Index, form: UploadForm, file: ReceivedFile | None) -> CheckedUpload:
        """Check an upload before anything is kept."""
        latest = None
        if form.action == "doc_upload" and "version" not in form.fields:
            project = self.project(index, normalize(form.first("name")))
            latest = project.versions[-1] if project else None
        inspected = inspect_upload(form, file, latest)
        if file is not None and file.content is None:  # a small one is recorded, or refused, before long
            refuse_early(self._database, index, inspected)
        return inspected

    def record_upload(self, index: Index, upload: CheckedUpload, who: str | None) -> RecordedUpload:
        """Record an upload whose file is kept."""
        recorded = record(self._server, self._current(index), upload, who)
        self._still_there(index)
        return recorded

    def copy_release(
        self, index: Index, release: Release, source: Index, who: str | None, *, files: bool, docs: bool
    ) -> list[list[Any]]:
        """Record a release of another index as its own."""
        rels = {"releasefile", "toxresult"} if files else set[str]()
        rels |= {"doczip"} if docs else set()
        lines = take(self._server, self._current(index), release, source, who, rels)
        self._still_there(index)
        return lines

    def yank(self, index: Index, name: str, version: str, reason: str | None) -> None:
        """Yank a version, with the files that it has and those that it will have, or take that back."""
        project = self._locked(index, name)
        release = self._release(index, name, project, version)
        self._database.write("UPDATE stage_release SET yanked = ? WHERE id = ?", (reason, release.id))
        changes.mark(self._database, project)

    def set_status(self, index: Index, name: str, status: str, reason: str) -> None:
        """Set the status of a project."""
        if status not in STATUSES:
            raise BadInput(f"'status' must be one of {', '.join(STATUSES)}, not {status[:40]!a}")
        project = self._locked(index, name)
        sql = "UPDATE stage_project SET status = ?, status_reason = ? WHERE id = ?"
        self._database.write(sql, (status, reason, project.id))
        changes.mark(self._database, project)

    def add_test_result(self, index: Index, path: str, result: StoredFile, who: str | None) -> str:
        """Record the result of a test."""
        found = self._found(index, path)
        project = self._locked(index, found.project)
        rows = self._database.read(
            "SELECT id, release_id FROM stage_file WHERE index_path = ? AND path = ? AND rel = 'releasefile'",
            (index.path, path),
        )
        if not rows:
            raise NotFound(f"no release file found at {index.path}/{path}")
        file, release = rows[0]
        address = self._next_result(index, f"{path}.toxresult-{datetime.now(UTC):%Y%m%d%H%M%S}-")
        new = changes.NewFile("toxresult", f"result {address}", address, result, {}, who, tested=file)
        number = changes.add_file(self._database, index.path, release, new)
        changes.add_log(self._database, number, "upload", who, index.path)
        changes.mark(self._database, project)
        return address

    def delete(self, index: Index, name: str, version: str | None = None, path: str | None = None) -> None:
        """Remove a project, a version or a file, and what is left empty by that."""
        if path is not None:
            self._delete_file(index, path)
            return
        project = self._locked(index, name)
        if version is None:
            rows = self._database.read("SELECT id FROM stage_release WHERE project_id = ?", (project.id,))
            releases = [number for (number,) in rows]
        else:
            releases = [self._release(index, name, project, version).id]
        changes.remove_releases(self._server, releases)
        changes.mark(self._database, project)

    def forget(self, index: Index) -> None:
        """Drop everything of an index that is deleted."""
        changes.forget(self._server, index.path)

    def references(self, sha256: str) -> bool:
        """Say whether any file has that hash."""
        return queries.refers(self._database, sha256)

    def stored_files(self) -> Iterator[tuple[StoredFile, str]]:
        """Name every file."""
        return queries.all_files(self._database)

    def mark_lost(self, sha256: str) -> None:
        """Take files whose bytes are lost from their projects; the versions stay, for somebody to upload them again."""
        places = self._database.read(
            "SELECT DISTINCT f.index_path, p.name FROM stage_file f JOIN stage_release r ON r.id = f.release_id"
            " JOIN stage_project p ON p.id = r.project_id WHERE f.sha256 = ? ORDER BY f.index_path, p.name",
            (sha256,),
        )
        projects = [changes.lock_or_add(self._database, *place) for place in places]
        changes.remove_files(self._server, "sha256 = ?", sha256)
        for project in projects:
            changes.mark(self._database, project)

    def _still_there(self, index: Index) -> None:
        """Look again at the end of what adds to an index.

        On PostgreSQL it may be deleted even while something is recorded: then whoever deletes has counted a change of
        the index first, for which the upload waits before it looks again. SQLite lets nobody else write meanwhile.
        """
        if self._database.kind != "sqlite":
            self._current(index)

    def _current(self, index: Index) -> Index:
        """Return an index as it is now: an upload takes its time."""
        current = self._server.indices.get(index.owner, index.name)
        if current is None or current.type != index.type:
            raise NotFound(f"index {index.path} was deleted meanwhile")
        return current

    def _found(self, index: Index, path: str) -> queries.Found:
        """Return a file that may be served."""
        found = queries.file(self._database, index.path, path)
        if found is None:
            if queries.gone(self._database, index.path, path):
                raise Gone(f"{index.path}/{path} was here and has been removed")
            raise NotFound(f"no such file: {index.path}/{path}")
        if found.status == "quarantined":
            reason = f": {found.status_reason}" if found.status_reason else ""
            raise Forbidden(
                f"project '{found.project}' on {index.path} is quarantined{reason}; its files are held back"
            )
        return found

    def _sibling(self, index: Index, path: str, kind: str, called: str) -> bytes:
        self._found(index, path)
        content = queries.sibling(self._database, index.path, path, kind)
        if content is None:
            raise NotFound(f"there is no {called} of {index.path}/{path}")
        return content

    def _locked(self, index: Index, name: str) -> changes.ProjectRow:
        project = changes.lock(self._database, index.path, name)
        if project is None:
            raise NotFound(f"project '{name}' not found on {index.path}")
        return project

    def _release(self, index: Index, name: str, project: changes.ProjectRow, version: str) -> changes.ReleaseRow:
        release = changes.find_release(self._database, project.id, version)
        if release is None:
            raise NotFound(f"version {version[:80]!a} of project '{name}' not found on stage '{index.path}'")
        return release

    def _next_result(self, index: Index, prefix: str) -> str:
        """Return an address for a result that none has yet."""
        rows = self._database.read(
            "SELECT path FROM stage_file WHERE index_path = ? AND path >= ? AND path < ?",
            (index.path, prefix, f"{prefix}:"),  # the sign after the digits
        )
        return f"{prefix}{max((int(path.removeprefix(prefix)) for (path,) in rows), default=-1) + 1}"

    def _delete_file(self, index: Index, path: str) -> None:
        """Remove one file; the last release file of a version takes the version along."""
        found = queries.file(self._database, index.path, path)
        project = changes.lock(self._database, index.path, found.project) if found else None
        rows = self._database.read(
            "SELECT id, release_id, rel FROM stage_file WHERE index_path = ? AND path = ?", (index.path, path)
        )
        if project is None or not rows:
            self._found(index, path)
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
        changes.mark(self._database, project)
