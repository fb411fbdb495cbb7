"""Takes the mirrored files of an export over, which are served while the upstream is away, and hands them out."""

from __future__ import annotations

from collections.abc import Iterator

from wheelgate import Index
from wheelgate.packages import MovedFile, MovedProject, MovedRelease
from wheelgate.store.database import Database
from wheelgate_mirror import queries
from wheelgate_mirror.filenames import version_sort_key
from wheelgate_mirror.pages import UpstreamFile, UpstreamPage, pack_page, unpack_page
from wheelgate_mirror.queries import MirroredFile, StoredPage
from wheelgate_mirror.upstream_urls import upstream_of
from wheelgate_mirror.uses import day

METADATA_SUFFIX = ".metadata"


def import_project(database: Database, index: Index, project: MovedProject) -> None:
    """Record the files of a project, and a page that has expired: the upstream is asked first, if it answers."""
    upstream = upstream_of(index)
    if upstream is None:
        return
    files = []
    for release in project.releases:
        for file in release.files:
            if file.rel != "releasefile":
                continue
            record = MirroredFile(file.path, project.name, release.version, file.stored, file.uploaded or None, day())
            queries.record_file(database, index.path, record)
            files.append(_upstream_file(release.version, file))
    if not files:
        return
    versions = tuple(sorted({file.version for file in files}, key=version_sort_key))
    page = UpstreamPage(project.name, tuple(files), versions, project.status, project.status_reason)
    stored = StoredPage(upstream.url_hash, 0, "", 0, project.status, pack_page(page))
    queries.save_page(database, index.path, project.name, stored)


def _upstream_file(version: str, file: MovedFile) -> UpstreamFile:
    hashes = {"sha256": file.stored.sha256}
    size, uploaded = file.stored.size, file.uploaded or None
    return UpstreamFile(file.name, version, file.url, hashes, size, uploaded, file.requires_python, None, None, None)


def moved_projects(database: Database, index: Index) -> Iterator[MovedProject]:
    """Yield the projects of which files were downloaded."""
    rows = database.read(
        "SELECT DISTINCT project FROM mirror_file WHERE index_path = ? ORDER BY project", (index.path,)
    )
    for (name,) in rows:
        page = queries.find_page(database, index.path, name)
        known = {} if page is None or page.content is None else {f.path: f for f in unpack_page(page.content).files}
        releases: dict[str, list[MovedFile]] = {}
        for file in queries.project_files(database, index.path, name):
            if not file.path.endswith(METADATA_SUFFIX):
                releases.setdefault(file.version, []).append(_moved(file, known.get(file.path)))
        yield MovedProject(
            name,
            tuple(
                MovedRelease(version, {"name": name, "version": version}, tuple(files))
                for version, files in sorted(releases.items())
            ),
        )


def _moved(file: MirroredFile, known: UpstreamFile | None) -> MovedFile:
    return MovedFile(
        "releasefile",
        file.path,
        file.stored,
        {"sha256": file.stored.sha256},
        file.upload_time or "",
        url="" if known is None else known.url,
        requires_python=None if known is None else known.requires_python,
    )
