"""What the pages of a project show to everyone who may read the project, kept until it changes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wheelgate import Server
from wheelgate.caches import LruCache
from wheelgate.errors import NotFound
from wheelgate.providers import RouteRequest
from wheelgate.server_view import ProjectFiles, VersionView
from wheelgate_web.projects.facts import Dependency, Link, dependencies_of, facts_of, links_of
from wheelgate_web.projects.files import QUARANTINED, FilesOfVersion, files_of_version
from wheelgate_web.projects.test_runs import TestResult, TestResults
from wheelgate_web.projects.versions import LATEST, STABLE, VersionLine, Versions, versions_of
from wheelgate_web.readmes.rendering import Readmes, description_text

DATA_CACHE_ENTRIES = 60
"""Versions of projects whose data a worker keeps."""
MAX_KEPT_CHARS = 100_000
"""Characters of the description of a version that is kept."""
BARE_KEYS = frozenset({"name", "version", "requires_python", "yanked"})
"""The metadata that a mirror knows without asking for more."""


@dataclass(frozen=True, slots=True)
class ReleaseData:
    """One version of a project."""

    line: VersionLine
    files: FilesOfVersion
    summary: str
    readme: str | None
    """The description as HTML; None to show it as it is."""
    description: str
    """The description as it is; empty if there is HTML."""
    facts: Sequence[tuple[str, str]]
    links: Sequence[Link]
    dependencies: Sequence[Dependency]
    results: Sequence[TestResult]

    @property
    def sources(self) -> list[str]:
        """The paths of the indices that its files come from."""
        return list(dict.fromkeys(file.index for file in self.files.served))


@dataclass(frozen=True, slots=True)
class ProjectData:
    """A project, and the version that a page is about."""

    project: ProjectFiles
    """Without its files and versions."""
    versions: Versions
    release: ReleaseData | None
    """None if there is no such version."""
    is_final: bool
    """Whether it stays like this until the project changes."""


class ProjectReader:
    """Reads the data of pages."""

    def __init__(self, server: Server) -> None:
        self._readmes = Readmes(server.database)
        self._results = TestResults(server)
        self._kept: LruCache[tuple[str, str, str], tuple[object, ProjectData]] = LruCache(DATA_CACHE_ENTRIES)

    def read(self, request: RouteRequest) -> ProjectData:
        """Return the data of the page of a project, or of the version in the address.

        It is the same object as long as nothing has changed.

        Raises:
            Refusal: as ``request.view`` does.
        """
        path, name = index_path(request), request.params["project"]
        key = path, name, request.params.get("version", "")
        stamp = request.view.stamp(path, name)  # this also asks whether the caller may read the project
        kept = self._kept.get(key)
        if kept is not None and kept[0] == stamp and is_current(kept[1]):
            return kept[1]
        data = self._make(request, *key)
        release = data.release
        size = len(release.readme or release.description) if release is not None else 0
        if data.is_final and release is not None and size <= MAX_KEPT_CHARS:
            self._kept.put(key, (stamp, data))
        return data

    def _make(self, request: RouteRequest, path: str, name: str, wanted: str) -> ProjectData:
        files = request.view.files(path, name)
        releases = releases_of(request, path, name)
        versions = versions_of(files, releases)
        line = versions.find(wanted or versions.latest)
        notices = replace(files, files=(), versions=())
        if line is None:
            return ProjectData(notices, versions, None, is_final=True)
        view = next(each for each in releases if each.version == line.version)
        metadata = metadata_of(request, path, name, view)
        readme = self._readmes.html(metadata)
        release = ReleaseData(
            line,
            files_of_version(files, view),
            str(metadata.get("summary") or ""),
            readme.html,
            "" if readme.html else description_text(metadata),
            facts_of(metadata),
            links_of(metadata),
            dependencies_of(metadata),
            self._results.of(view) if files.status != QUARANTINED else (),
        )
        return ProjectData(notices, versions, release, readme.is_final)


def is_current(data: ProjectData) -> bool:
    """Return whether no upstream has to be asked again yet."""
    return data.project.until is None or time.time() < data.project.until


def redirect_target(data: ProjectData, wanted: str) -> str:
    """Return the version that ``latest`` or ``stable`` leads to; empty if the address means itself."""
    return data.versions.target(wanted) if wanted in (LATEST, STABLE) and data.release is None else ""


def releases_of(request: RouteRequest, path: str, name: str) -> Sequence[VersionView]:
    """Return the versions of a project that exists; a mirror has none as long as it holds back all files."""
    try:
        return request.view.releases(path, name)
    except NotFound:
        return ()


def metadata_of(request: RouteRequest, path: str, name: str, release: VersionView) -> Mapping[str, Any]:
    """Return the metadata of a version; of a mirrored one, they are beside its files."""
    if release.release.metadata.keys() <= BARE_KEYS:
        return {**release.release.metadata, **request.view.metadata(path, name, release.version)}
    return release.release.metadata


def index_path(request: RouteRequest) -> str:
    """Return the path of the index in the address."""
    return f"{request.params['user']}/{request.params['index']}"
