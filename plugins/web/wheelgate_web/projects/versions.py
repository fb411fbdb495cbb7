"""The versions of a project as pages list them, and the one that a page is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from wheelgate.packages import latest_version, parsed_version, version_key
from wheelgate.server_view import ProjectFiles, ServedFile, VersionView

LATEST, STABLE = "latest", "stable"
"""Names that stand for a version in an address."""


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version in the list of all."""

    version: str
    is_prerelease: bool
    yanked: str | None
    """The reason, which may be empty; None if the version is not yanked."""
    uploaded: datetime | None
    """When its first file was uploaded; None if that is unknown."""


@dataclass(frozen=True, slots=True)
class Versions:
    """All versions of a project, the newest first."""

    lines: tuple[VersionLine, ...]
    latest: str

    def find(self, version: str) -> VersionLine | None:
        """Return a version in any spelling; None if there is none."""
        key = version_key(version)
        return next((line for line in self.lines if version_key(line.version) == key), None)

    def target(self, name: str) -> str:
        """Return the version that ``latest`` or ``stable`` stands for; empty if there is none."""
        if name == LATEST:
            return self.latest
        yanked = {line.version for line in self.lines if line.yanked is not None}
        return latest_version((line.version for line in self.lines if not line.is_prerelease), yanked)

    def is_outdated(self, version: str) -> bool:
        """Return whether the latest version is newer than this one."""
        own, latest = parsed_version(version), parsed_version(self.latest)
        return own is not None and latest is not None and latest > own


def versions_of(files: ProjectFiles, releases: Sequence[VersionView]) -> Versions:
    """Return the versions of a project."""
    by_key: dict[str, list[ServedFile]] = {}
    for served in files.files:
        by_key.setdefault(version_key(served.file.version), []).append(served)
    lines = [version_line(release, by_key.get(version_key(release.version), ())) for release in releases]
    yanked = {line.version for line in lines if line.yanked is not None}
    return Versions(tuple(lines), latest_version((line.version for line in lines), yanked))


def version_line(release: VersionView, files: Sequence[ServedFile]) -> VersionLine:
    """Return a version; without files, what is registered of it counts."""
    parsed = parsed_version(release.version)
    times = [moment for served in files if (moment := parsed_time(served.file.upload_time))]
    return VersionLine(
        release.version,
        parsed is not None and parsed.is_prerelease,
        yank_reason(files, release.release.metadata),
        min(times, default=None),
    )


def yank_reason(files: Sequence[ServedFile], metadata: Mapping[str, object]) -> str | None:
    """Return why a version is yanked; None if it is not: some file of it is offered."""
    if files:
        reasons = [served.file.yanked for served in files]
        return None if None in reasons else next(filter(None, reasons), "")
    registered = metadata.get("yanked")
    return None if registered is None else registered if isinstance(registered, str) else ""


def parsed_time(text: str | None) -> datetime | None:
    """Return the time of an upload; None if it is unknown, or an upstream wrote nonsense."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
