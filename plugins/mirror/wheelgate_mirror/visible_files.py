"""The part of an upstream's page that a mirror shows now."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wheelgate import Index
from wheelgate.packages import File, Release, ReleaseFile, StoredFile, version_key
from wheelgate_mirror.cache import CurrentPage
from wheelgate_mirror.cooldown import cooldown_of
from wheelgate_mirror.filenames import version_sort_key
from wheelgate_mirror.pages import UpstreamFile, UpstreamPage
from wheelgate_mirror.queries import MirroredFile

QUARANTINED = "quarantined"
"""The status of a project whose files are held back (PEP 792)."""


@dataclass(frozen=True, slots=True)
class VisibleProject:
    """A project as a mirror shows it; fields without a description are those of ``Project``."""

    page: UpstreamPage
    files: tuple[UpstreamFile, ...]
    """The files of the page that are not held back."""
    versions: tuple[str, ...]
    stale: bool
    until: float | None
    left_out: str = ""


def visible_project(index: Index, project: str, page: UpstreamPage, current: CurrentPage) -> VisibleProject:
    """Leave out files that are too young, and all files of a project in quarantine."""
    cooldown, now = cooldown_of(index), time.time()
    files = () if page.status == QUARANTINED else page.files
    if index.config.get("mirror_provides_core_metadata") is False:
        files = tuple(replace(file, core_metadata=None) for file in files)
    if not cooldown.seconds:
        return VisibleProject(page, files, page.versions, current.stale, current.until)
    available = [cooldown.available_at(project, file.version, file.upload_time) for file in files]
    old = tuple(file for file, moment in zip(files, available, strict=True) if moment <= now)
    versions = tuple(sorted({file.version for file in old if file.version}, key=version_sort_key))
    # A page that is valid for longer would hide files that are old enough by then.
    until = min((moment for moment in available if moment > now), default=math.inf)
    until = min(until, math.inf if current.until is None else current.until)
    left_out = cooldown.held_back([moment for moment in available if moment > now])
    return VisibleProject(page, old, versions, current.stale, None if math.isinf(until) else until, left_out)


def completed(file: File, stored: Mapping[str, StoredFile]) -> File:
    """Add the size of a file, and the digest of its metadata, if they are stored; see :func:`visible_releases`."""
    itself, metadata = stored.get(file.path), stored.get(f"{file.path}.metadata")
    if file.size is None and itself is not None:
        file = replace(file, size=itself.size)
    if file.core_metadata is not None and metadata is not None:
        file = replace(file, core_metadata=metadata.sha256)
    return file


def visible_releases(project: VisibleProject, stored: Mapping[str, StoredFile]) -> list[Release]:
    """Return the versions that have files, oldest first; ``stored`` has the downloaded files by path."""
    by_version: dict[str, list[UpstreamFile]] = {}
    for file in project.files:
        if file.version:
            by_version.setdefault(version_key(file.version), []).append(file)
    versions = sorted(by_version.values(), key=lambda files: version_sort_key(files[0].version))
    return [_release(project.page.name, files[0].version, files, stored) for files in versions]


def local_releases(project: str, files: Sequence[MirroredFile]) -> list[Release]:
    """Return the versions of which files were downloaded, oldest first, with these files."""
    by_version: dict[str, list[MirroredFile]] = {}
    for file in files:
        if file.version and not file.path.endswith(".metadata"):
            by_version.setdefault(version_key(file.version), []).append(file)
    releases = []
    for group in sorted(by_version.values(), key=lambda files: version_sort_key(files[0].version)):
        version = group[0].version
        links = tuple(ReleaseFile("releasefile", file.path, file.stored) for file in group)
        releases.append(Release(project, version, {"name": project, "version": version}, links))
    return releases


def _release(name: str, version: str, files: Sequence[UpstreamFile], stored: Mapping[str, StoredFile]) -> Release:
    metadata = {"name": name, "version": version}
    for key, values in (
        ("requires_python", [file.requires_python for file in files]),
        ("yanked", [file.yanked for file in files]),
    ):
        first = next((value for value in values if value is not None), None)
        if first is not None:
            metadata[key] = first
    links = tuple(ReleaseFile("releasefile", file.path, stored.get(file.path), file.hashes) for file in files)
    return Release(name, version, metadata, links)
