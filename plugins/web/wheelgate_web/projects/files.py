"""The files of one version as its page lists them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from wheelgate.packages import Release, ReleaseFile, version_key
from wheelgate.server_view import ProjectFiles, ServedFile, VersionView, file_address
from wheelgate_web.projects.versions import parsed_time

QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file that the index serves."""

    name: str
    address: str
    size: int | None
    uploaded: datetime | None
    uploader: str
    """Empty if that is unknown, or was nobody."""
    sha256: str
    """Empty if only another hash is known."""
    index: str
    """The path of the index that it comes from."""
    provenance: str
    """The address of its provenance; empty if it has none."""
    yanked: bool
    requires_python: str


@dataclass(frozen=True, slots=True)
class WithheldFile:
    """A file that the index does not serve."""

    name: str
    index: str


@dataclass(frozen=True, slots=True)
class FilesOfVersion:
    """All files of one version."""

    served: tuple[FileLine, ...]
    withheld: tuple[WithheldFile, ...]
    """Files of the same version that are shadowed by others, or in quarantine."""
    documentation: tuple[tuple[str, str], ...]
    """The names and addresses of documentation archives."""


def files_of_version(files: ProjectFiles, view: VersionView) -> FilesOfVersion:
    """Return the files of a version."""
    key = version_key(view.version)
    known = {(index, file.path): file for index, file in release_files(view, "releasefile")}
    served = [each for each in files.files if version_key(each.file.version) == key]
    offered = {(each.index, each.file.path) for each in served}
    withheld = [WithheldFile(file.name, index) for (index, path), file in known.items() if (index, path) not in offered]
    documentation = [(file.name, file_address(index, file.path)) for index, file in release_files(view, "doczip")]
    return FilesOfVersion(
        tuple(file_line(each, known.get((each.index, each.file.path))) for each in served),
        tuple(withheld),
        tuple(documentation if files.status != QUARANTINED else ()),
    )


def release_files(view: VersionView, rel: str) -> Iterator[tuple[str, ReleaseFile]]:
    """Yield the files of one kind that any index has of a version, each with the path of its index."""
    layers: Sequence[tuple[str, Release]] = ((view.index, view.release), *view.shadowed)
    for index, release in layers:
        for file in release.files:
            if file.rel == rel:
                yield index, file


def file_line(served: ServedFile, known: ReleaseFile | None) -> FileLine:
    """Return a file with what its history says."""
    file = served.file
    uploads = [entry for entry in known.log if entry.dst == served.index] if known is not None else []
    return FileLine(
        file.name,
        served.address,
        file.size,
        parsed_time(file.upload_time),
        (uploads[-1].who or "") if uploads else "",
        file.hashes.get("sha256", ""),
        served.index,
        file_address(served.index, file.provenance) if file.provenance else "",
        file.yanked is not None,
        file.requires_python or "",
    )
