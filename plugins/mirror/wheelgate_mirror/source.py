"""The packages of mirrors, as the core asks for them."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

from wheelgate import Index, Server
from wheelgate.errors import Forbidden, NotFound
from wheelgate.packages import (
    File,
    OngoingDownload,
    Project,
    ProjectList,
    Redirect,
    Release,
    StoredFile,
    is_project_name,
    version_key,
)
from wheelgate_mirror import queries
from wheelgate_mirror.backoff import Backoff
from wheelgate_mirror.cache import CurrentPage, UpstreamCache
from wheelgate_mirror.cooldown import check_age
from wheelgate_mirror.downloads import Downloads, wait_for
from wheelgate_mirror.filenames import projects_of
from wheelgate_mirror.moments import utc_text
from wheelgate_mirror.pages import UpstreamFile, UpstreamPage, unpack_page
from wheelgate_mirror.project_list import unpack_names
from wheelgate_mirror.upstream import UpstreamClient
from wheelgate_mirror.upstream_urls import UpstreamIndex, upstream_of
from wheelgate_mirror.visible_files import (
    QUARANTINED,
    VisibleProject,
    completed,
    local_releases,
    visible_project,
    visible_releases,
)

MAX_FILENAME_SPLITS = 20
"""Ways to split a file's name into project and version that are tried."""


class MirrorPackages:
    """The packages of upstreams; see :class:`wheelgate.packages.PackageSource`."""

    instant = False
    last = True

    def __init__(self, server: Server) -> None:
        self._files = server.files
        self._database = server.database
        backoff = Backoff(server.database)
        client = UpstreamClient(server.outgoing, backoff, server.config["mirror-timeout"])
        self._cache = UpstreamCache(server, client, backoff)
        self._downloads = Downloads(server, client)

    def stamp(self, index: Index, project: str = "") -> Hashable:
        """Return a value that changes with every change of the upstream's answer."""
        if not project and index.config.get("mirror_no_project_list"):
            return queries.requested_projects_stamp(self._database, index.path)
        return queries.page_stamp(self._database, index.path, project)

    def local_stamp(self, index: Index, project: str = "") -> Hashable:
        """Return a value that changes with every downloaded file."""
        return queries.downloads_stamp(self._database, index.path, project)

    def local_projects(self, index: Index) -> Sequence[str]:
        """Return the names of the projects of which files were downloaded."""
        return queries.downloaded_projects(self._database, index.path)

    def local_releases(self, index: Index, name: str) -> Sequence[Release]:
        """Return the versions of which files were downloaded."""
        return local_releases(name, queries.project_files(self._database, index.path, name))

    def projects(self, index: Index) -> ProjectList:
        """Return the names of all projects; with ``mirror_no_project_list`` those that clients have asked for."""
        upstream = upstream_of(index)
        if upstream is None:
            return ProjectList(())
        if index.config.get("mirror_no_project_list"):
            return ProjectList(queries.requested_projects(self._database, index.path, upstream.url_hash))
        current = self._cache.get(index, upstream, "")
        names = () if current.content is None else unpack_names(current.content)
        return ProjectList(names, current.stale, current.until)

    def project(self, index: Index, name: str) -> Project | None:
        """Return a project of the upstream, without files that are too young."""
        visible = self._visible_project(index, name)
        if visible is None:
            return None
        page, files = visible.page, self._completed(index, name, visible.files)
        return Project(
            name,
            files,
            visible.versions,
            page.status,
            page.status_reason,
            visible.stale,
            visible.until,
            visible.left_out,
        )

    def claims(self, index: Index, name: str) -> bool:
        """Say whether the upstream has a project."""
        try:
            return self._visible_project(index, name) is not None
        except NotFound:
            return False

    def releases(self, index: Index, name: str) -> Sequence[Release]:
        """Return all versions that have files; only downloaded files have a stored file."""
        visible = self._visible_project(index, name)
        if visible is None:
            return ()
        stored = {file.path: file.stored for file in queries.project_files(self._database, index.path, name)}
        return visible_releases(visible, stored)

    def open(self, index: Index, path: str) -> StoredFile | OngoingDownload | Redirect:
        """Return a downloaded file, or start its download."""
        stored = self._stored_file(index, path)
        if stored is not None:
            return stored
        upstream, project, file = self._find(index, path)
        if index.config.get("mirror_use_external_urls"):
            return Redirect(file.url)
        return self._downloads.start(index, upstream, project, file)

    def core_metadata(self, index: Index, path: str) -> bytes:
        """Return the core metadata of the file at ``path``; the file itself need not be downloaded."""
        left_out = index.config.get("mirror_provides_core_metadata") is False
        stored = None if left_out else self._stored_file(index, f"{path}.metadata")
        if stored is None:
            upstream, project, file = self._find(index, path)
            if left_out or file.core_metadata is None:
                raise NotFound(f"the upstream of {index.path} has no core metadata of '{file.name}'")
            stored = self._downloads.core_metadata(index, upstream, project, file)
        with self._files.open(stored) as content:
            return content.read()

    def provenance(self, index: Index, path: str) -> bytes:
        """Return the provenance of the file at ``path``, which the upstream sends each time."""
        upstream, _, file = self._find(index, path)
        return self._downloads.provenance(upstream, file)

    def fetch_release(self, index: Index, name: str, version: str) -> Release:
        """Return one release, and download those of its files that are missing. Call it outside of transactions."""
        key = version_key(version)
        release = next((each for each in self.releases(index, name) if version_key(each.version) == key), None)
        if release is None:
            raise NotFound(f"no release/files found for {name} {version}")
        links = []
        for link in release.files:
            stored = link.stored
            if stored is None:
                upstream, project, file = self._find(index, link.path)
                stored = wait_for(self._downloads.start(index, upstream, project, file))
            links.append(replace(link, stored=stored))
        return replace(release, files=tuple(links))

    def refresh(self, index: Index, name: str) -> None:
        """Make the next request for the project go to the upstream, even if it has just failed."""
        upstream = upstream_of(index)
        if upstream is not None and is_project_name(name):
            self._cache.refresh(index, upstream, name)

    def delete(self, index: Index, name: str, version: str | None = None, path: str | None = None) -> None:
        """Remove downloaded files; the next request downloads them again. Call it within a transaction."""
        project = name if path is None else None
        hashes = queries.delete_files(self._database, index.path, project, version, path)
        pages = queries.delete_pages(self._database, index.path, name) if version is None and path is None else 0
        if not hashes and not pages:
            raise NotFound(f"{index.path} has stored nothing of {path or name}")
        self._files.mark_unreferenced(hashes)

    def forget(self, index: Index) -> None:
        """Remove all pages and files of an index. Call it within a transaction."""
        queries.delete_pages(self._database, index.path)
        self._files.mark_unreferenced(queries.delete_files(self._database, index.path))

    def references(self, sha256: str) -> bool:
        """Say whether a downloaded file has that hash."""
        return queries.has_hash(self._database, sha256)

    def stored_files(self) -> Iterator[tuple[StoredFile, str]]:
        """Yield every downloaded file."""
        return queries.all_stored_files(self._database)

    def mark_lost(self, sha256: str) -> None:
        """Forget a file that is missing or damaged, so that it is downloaded again. Call it within a transaction."""
        queries.delete_files_by_hash(self._database, sha256)

    def _visible_project(self, index: Index, name: str) -> VisibleProject | None:
        """Return a project as the index shows it now.

        Raises:
            NotFound: the upstream does not have it, and is not asked again for a while.
        """
        upstream = upstream_of(index)
        if upstream is None or not is_project_name(name):  # the name becomes part of a URL
            return None
        current = self._cache.get(index, upstream, name)
        if current.content is not None:
            return visible_project(index, name, unpack_page(current.content), current)
        if (until := _remembered_until(current)) is None:
            return None
        raise NotFound(f"the upstream of {index.path} does not have '{name}'", remembered_until=until)

    def _completed(self, index: Index, project: str, files: Sequence[UpstreamFile]) -> tuple[File, ...]:
        """Return files as a page shows them, with what is known from those that are stored.

        These are the sizes that the upstream does not give, and the digests of metadata as this server sends them.
        """
        stored = {each.path: each.stored for each in queries.project_files(self._database, index.path, project)}
        if not stored:
            return tuple(file.as_file() for file in files)
        return tuple(completed(file.as_file(), stored) for file in files)

    def _stored_file(self, index: Index, path: str) -> StoredFile | None:
        """Return a downloaded file. Raise ``Forbidden`` if it is held back."""
        found = queries.find_file(self._database, index.path, path)
        if found is None:
            return None
        file, status = found
        self._check(index, file.project, file.version, file.upload_time, path, status)
        return file.stored

    def _find(self, index: Index, path: str) -> tuple[UpstreamIndex, str, UpstreamFile]:
        """Return the file at an address, with its upstream and its project. Raise ``Forbidden`` if it is held back.

        Stored pages are searched first, even expired ones: the client has the address from one of them.
        """
        name = path.rpartition("/")[2]
        upstream, projects = upstream_of(index), projects_of(name)[:MAX_FILENAME_SPLITS]
        if upstream is None or not projects:
            raise NotFound(f"'{name}' does not exist on {index.path}")
        until = None
        found = _find_on_pages(queries.page_contents(self._database, index.path, upstream.url_hash, projects), path)
        if found is None:
            current = self._cache.get(index, upstream, projects[0])
            found = _find_on_pages([(projects[0], current.content)] if current.content is not None else [], path)
            until = _remembered_until(current)
        if found is None:
            raise NotFound(f"'{name}' does not exist on {index.path}", remembered_until=until)
        project, page, file = found
        self._check(index, project, file.version, file.upload_time, path, page.status)
        return upstream, project, file

    def _check(self, index: Index, project: str, version: str, upload_time: str | None, path: str, status: str) -> None:
        """Raise ``Forbidden`` if a file is held back."""
        name = path.rpartition("/")[2]
        if status == QUARANTINED:
            raise Forbidden(f"the upstream of {index.path} has put '{project}' into quarantine; '{name}' is held back")
        check_age(index, project, version, upload_time, name)


def _remembered_until(current: CurrentPage) -> str | None:
    """Return until when an absence is valid, for a message; None if it is none, or is not remembered."""
    remembered = current.content is None and current.until is not None and current.until > time.time()
    return utc_text(current.until) if remembered and current.until is not None else None


def _find_on_pages(pages: Sequence[tuple[str, bytes]], path: str) -> tuple[str, UpstreamPage, UpstreamFile] | None:
    """Return the file at an address from the pages of some projects."""
    for project, content in pages:
        page = unpack_page(content)
        for file in page.files:
            if file.path == path:
                return project, page, file
    return None
