"""The packages of mirrors, as core asks for them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

from wheelgate import Index, Server
from wheelgate.errors import Forbidden, NotFound
from wheelgate.packages import OngoingDownload, Project, ProjectList, Redirect, Release, StoredFile, is_project_name
from wheelgate_mirror import queries
from wheelgate_mirror.backoff import Backoff
from wheelgate_mirror.cache import Cache
from wheelgate_mirror.cooldown import hold_back
from wheelgate_mirror.downloads import Downloads, wait_for
from wheelgate_mirror.filenames import normalized_version, projects_of
from wheelgate_mirror.pages import Offer, Page, unpacked
from wheelgate_mirror.project_list import unpacked_names
from wheelgate_mirror.upstream import Upstreams
from wheelgate_mirror.upstream_urls import Place, place_of
from wheelgate_mirror.visible_files import QUARANTINED, Offered, offered, releases

MOST_SPLITS = 20
"""Ways to take a file's name for a project and a version that are tried."""


class MirrorPackages:
    """Packages of upstreams; see :class:`wheelgate.packages.PackageSource`."""

    instant = False
    last = True

    def __init__(self, server: Server) -> None:
        self._files = server.files
        self._database = server.database
        backoff = Backoff()
        upstreams = Upstreams(server.outgoing, backoff, server.config["mirror-timeout"])
        self._cache = Cache(server, upstreams, backoff)
        self._downloads = Downloads(server, upstreams)

    def stamp(self, index: Index, project: str = "") -> Hashable:
        """Return a value that is another one whenever what the upstream said has changed."""
        if not project and index.config.get("mirror_no_project_list"):
            return queries.stamp_of_all(self._database, index.path)
        return queries.stamp(self._database, index.path, project)

    def projects(self, index: Index) -> ProjectList:
        """Return the names of all projects; with ``mirror_no_project_list`` those that somebody has asked for."""
        place = place_of(index)
        if place is None:
            return ProjectList(())
        if index.config.get("mirror_no_project_list"):
            return ProjectList(queries.known_projects(self._database, index.path, place.source))
        current = self._cache.current(index, place, "")
        return ProjectList(
            () if current.content is None else unpacked_names(current.content), current.stale, current.until
        )

    def project(self, index: Index, name: str) -> Project | None:
        """Return what the upstream offers of a project, but for what is too young."""
        found = self._offered(index, name)
        if found is None:
            return None
        page, files = found.page, tuple(offer.file() for offer in found.offers)
        return Project(name, files, found.versions, page.status, page.status_reason, found.stale, found.until)

    def claims(self, index: Index, name: str) -> bool:
        """Say whether the upstream has a project."""
        return self._offered(index, name) is not None

    def releases(self, index: Index, name: str) -> Sequence[Release]:
        """Return all versions that have files; where the bytes are is known of those that were fetched already."""
        found = self._offered(index, name)
        if found is None:
            return ()
        here = {cached.path: cached.stored for cached in queries.files(self._database, index.path, name)}
        return releases(found, here)

    def open(self, index: Index, path: str) -> StoredFile | OngoingDownload | Redirect:
        """Return a file that is here, or begin to fetch it."""
        stored = self._here(index, path)
        if stored is not None:
            return stored
        place, project, offer = self._find(index, path)
        if index.config.get("mirror_use_external_urls"):
            return Redirect(offer.url)
        return self._downloads.file(index, place, project, offer)

    def core_metadata(self, index: Index, path: str) -> bytes:
        """Return the core metadata of the file at ``path``, which need not be here itself."""
        left_out = index.config.get("mirror_provides_core_metadata") is False
        stored = None if left_out else self._here(index, f"{path}.metadata")
        if stored is None:
            place, project, offer = self._find(index, path)
            if left_out or offer.core_metadata is None:
                raise NotFound(f"the upstream of {index.path} has no core metadata of '{offer.name}'")
            stored = self._downloads.metadata(index, place, project, offer)
        with self._files.open(stored) as file:
            return file.read()

    def provenance(self, index: Index, path: str) -> bytes:
        """Return the provenance of the file at ``path`` as the upstream has it now."""
        place, _, offer = self._find(index, path)
        return self._downloads.provenance(place, offer)

    def fetch_release(self, index: Index, name: str, version: str) -> Release:
        """Return one release, and fetch those of its files that are not here. Outside of transactions."""
        wanted = normalized_version(version) or version
        release = next((each for each in self.releases(index, name) if each.version == wanted), None)
        if release is None:
            raise NotFound(f"no release/files found for {name} {version}")
        links = []
        for link in release.files:
            stored = link.stored
            if stored is None:
                place, project, offer = self._find(index, link.path)
                stored = wait_for(self._downloads.file(index, place, project, offer))
            links.append(replace(link, stored=stored))
        return replace(release, files=tuple(links))

    def refresh(self, index: Index, name: str) -> None:
        """Ask the upstream again when the project is asked for next, also one that has just failed."""
        place = place_of(index)
        if place is not None:
            queries.doubt_page(self._database, index.path, name)
            self._cache.forget(index, place, name)

    def delete(self, index: Index, name: str, version: str | None = None, path: str | None = None) -> None:
        """Drop what was fetched; it is fetched again when somebody asks for it. Within a transaction."""
        exact = None if version is None else normalized_version(version) or version
        project = name if path is None else None
        hashes = queries.drop_files(self._database, index.path, project, exact, path)
        pages = queries.drop_pages(self._database, index.path, name) if version is None and path is None else 0
        if not hashes and not pages:
            raise NotFound(f"nothing of {path or name} is kept on {index.path}")
        self._files.mark_unreferenced(hashes)

    def forget(self, index: Index) -> None:
        """Drop everything that was fetched for an index. Within a transaction."""
        queries.drop_pages(self._database, index.path)
        self._files.mark_unreferenced(queries.drop_files(self._database, index.path))

    def references(self, sha256: str) -> bool:
        """Say whether a file that was fetched has that hash."""
        return queries.refers(self._database, sha256)

    def stored_files(self) -> Iterator[tuple[StoredFile, str]]:
        """Name every file that was fetched."""
        return queries.all_files(self._database)

    def mark_lost(self, sha256: str) -> None:
        """Forget a file that is gone or damaged, so that it is fetched again. Within a transaction."""
        queries.lose(self._database, sha256)

    def _offered(self, index: Index, name: str) -> Offered | None:
        """Return what an index offers of a project now."""
        place = place_of(index)
        if place is None or not is_project_name(name):  # the name becomes a part of an address
            return None
        current = self._cache.current(index, place, name)
        return None if current.content is None else offered(index, name, unpacked(current.content), current)

    def _here(self, index: Index, path: str) -> StoredFile | None:
        """Return a file that was fetched, if it may be given out."""
        found = queries.file(self._database, index.path, path)
        if found is None:
            return None
        cached, status = found
        self._check(index, cached.project, cached.version, cached.upload_time, path, status)
        return cached.stored

    def _find(self, index: Index, path: str) -> tuple[Place, str, Offer]:
        """Return the file of that address, which may be given out, with its upstream and its project.

        The pages that are kept come first, however old: the client has the address from one of them.
        """
        name = path.rpartition("/")[2]
        place, projects = place_of(index), projects_of(name)[:MOST_SPLITS]
        if place is None or not projects:
            raise NotFound(f"'{name}' does not exist on {index.path}")
        known = queries.pages(self._database, index.path, place.source, projects)
        found = _search(known, path)
        if found is None:
            current = self._cache.current(index, place, projects[0])
            found = _search([(projects[0], current.content)] if current.content is not None else [], path)
        if found is None:
            raise NotFound(f"'{name}' does not exist on {index.path}")
        project, page, offer = found
        self._check(index, project, offer.version, offer.upload_time, path, page.status)
        return place, project, offer

    def _check(self, index: Index, project: str, version: str, upload_time: str | None, path: str, status: str) -> None:
        """Refuse a file that is held back."""
        name = path.rpartition("/")[2]
        if status == QUARANTINED:
            raise Forbidden(f"the upstream of {index.path} has put '{project}' into quarantine; '{name}' is held back")
        hold_back(index, project, version, upload_time, name)


def _search(pages: Sequence[tuple[str, bytes]], path: str) -> tuple[str, Page, Offer] | None:
    """Return the file of that address from the pages of some projects."""
    for project, content in pages:
        page = unpacked(content)
        for offer in page.files:
            if offer.path == path:
                return project, page, offer
    return None
