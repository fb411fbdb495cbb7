"""What the search knows of a project: made from its releases, and stored in one row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from wheelgate.packages import Release, is_project_name, latest_version, normalize

MAX_SUMMARY_CHARS = 500
MAX_KEYWORDS_CHARS = 500
MAX_REQUIREMENTS = 500
"""Requirements of a release that count; no release of the public index has half as many."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A project of one index, as the search finds it."""

    index: str
    """The path of the index, ``owner/name``."""
    name: str
    """The normalised name (PEP 503)."""
    summary: str
    keywords: str
    latest: str
    """The version to show first; see :func:`wheelgate.packages.latest_version`."""
    time: str
    """When the last file was uploaded, as ISO 8601; empty if there is no file or nobody knows."""
    requirements: tuple[str, ...]
    """The normalised names of the projects that the latest version requires, in order, each once."""

    @property
    def uploaded(self) -> datetime | None:
        """When the last file was uploaded; None if there is no file or nobody knows."""
        return datetime.fromisoformat(self.time) if self.time else None


def entry_of(index: str, name: str, releases: Sequence[Release]) -> Entry | None:
    """Return the entry of a project; None if it has no release."""
    by_version = {release.version: release for release in releases}
    yanked = {version for version, release in by_version.items() if release.metadata.get("yanked") is not None}
    latest = latest_version(by_version, yanked)
    if not by_version:
        return None
    metadata = by_version[latest].metadata
    uploads = [
        entry.when.isoformat()
        for release in releases
        for file in release.files
        if file.rel == "releasefile"
        for entry in file.log
        if entry.dst == index
    ]
    return Entry(
        index=index,
        name=name,
        summary=_text(metadata, "summary")[:MAX_SUMMARY_CHARS],
        keywords=_text(metadata, "keywords")[:MAX_KEYWORDS_CHARS],
        latest=latest,
        time=max(uploads, default=""),
        requirements=tuple(sorted(set(_required_names(metadata)))),
    )


def _text(metadata: Mapping[str, Any], key: str) -> str:
    """Return a text of version data; other index types may store anything."""
    value = metadata.get(key)
    return value if isinstance(value, str) else ""


def _required_names(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of required projects. Requirements that nobody can read are left out."""
    required = metadata.get("requires_dist")
    for line in required[:MAX_REQUIREMENTS] if isinstance(required, Sequence) and not isinstance(required, str) else ():
        try:
            name = Requirement(str(line)).name
        except InvalidRequirement:
            continue
        if is_project_name(name):
            yield normalize(name)
