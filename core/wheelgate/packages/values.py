"""Projects, files and releases as simple pages and version data show them, and the parts of an upload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wheelgate.packages.stored_files import ReceivedFile, StoredFile
from wheelgate.values import empty_mapping

STATUSES = ("active", "archived", "quarantined", "deprecated")
"""The project statuses of PEP 792."""


def file_path(sha256: str, name: str) -> str:
    """Return the address of a file below its index: ``+f/<3 digits of sha256>/<13 more>/<name>``."""
    return f"+f/{sha256[:3]}/{sha256[3:16]}/{name}"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a project, as a simple page shows it."""

    name: str
    version: str
    """From the file's name or metadata; empty if they name no version."""
    path: str
    """Its address below its index: that of :func:`file_path`, or ``+e/…/<name>``."""
    hashes: Mapping[str, str] = field(default_factory=empty_mapping)
    """Hexadecimal, by the names that ``hashlib`` uses."""
    size: int | None = None
    """Bytes."""
    upload_time: str | None = None
    """As PEP 700 writes it: ``2026-01-31T12:00:00.123456Z``."""
    requires_python: str | None = None
    yanked: str | None = None
    """The reason, which may be empty; None if the file is not yanked (PEP 592)."""
    core_metadata: str | None = None
    """The sha256 of the metadata file beside it (PEP 714), empty if unknown; None if there is no such file."""
    provenance: str | None = None
    """The address of its provenance below its index (PEP 740)."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project on one index."""

    name: str
    files: tuple[File, ...]
    """Oldest version first."""
    versions: tuple[str, ...]
    """All versions, including those without files (PEP 700)."""
    status: str = "active"
    """One of :data:`STATUSES`."""
    status_reason: str = ""
    stale: bool = False
    """True if the data is old because the upstream did not answer."""
    until: float | None = None
    """When the server has to read it again even if its stamp is the same, in seconds since 1970; None for never."""
    left_out: str = ""
    """Which files the index leaves out, and why, as a clause for ``devpi why``; empty if it shows all of them."""


@dataclass(frozen=True, slots=True)
class ProjectList:
    """The names of all projects of one index, in order; ``stale`` and ``until`` are as in :class:`Project`."""

    names: Sequence[str]
    stale: bool = False
    until: float | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry in the history of a file."""

    what: str
    """``upload``, ``overwrite`` or ``push``."""
    who: str | None
    """The name of the user; None for anonymous."""
    when: datetime
    dst: str
    """The path of the index that got the file, ``owner/index``."""
    src: str | None = None
    """For a push: the path of the index that it comes from."""
    count: int | None = None


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """A file that belongs to a release: an archive, its documentation, or a test result."""

    rel: str
    """``releasefile``, ``doczip`` or ``toxresult``."""
    path: str
    """Its address below the index that holds the release."""
    stored: StoredFile | None
    """None for a file of an upstream that was not downloaded yet."""
    hashes: Mapping[str, str] = field(default_factory=empty_mapping)
    log: tuple[LogEntry, ...] = ()
    for_path: str | None = None
    """For a test result: the address of the tested file."""
    requires_python: str | None = None
    """Set by ``fetch_release`` only, like ``core_metadata`` and ``provenance``: ``copy_release`` needs them."""
    core_metadata: bytes | None = None
    """The metadata file beside it (PEP 658)."""
    provenance: bytes | None = None
    """The provenance beside it (PEP 740)."""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a project on one index."""

    name: str
    """In the spelling of the latest upload."""
    version: str
    metadata: Mapping[str, Any]
    """The keys of version data on the wire, ``name`` and ``version`` included."""
    files: tuple[ReleaseFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """A file that the client has to download from its upstream itself."""

    url: str


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A record of a stored file on an index, for sums by index and project."""

    index: str
    """The path of the index, ``owner/index``."""
    project: str
    """The normalised name of the project that the file belongs to; empty if it belongs to none."""
    path: str
    """The address below the index."""
    stored: StoredFile


@dataclass(frozen=True, slots=True)
class UploadOrigin:
    """What an import knows about a release file, and no form of an upload tool can say."""

    uploaded: str = ""
    """When it was uploaded there, as ``upload_time`` of :class:`File` with microseconds; empty if that is unknown."""
    provenance: bytes | None = None
    """Its provenance, a JSON document (PEP 740)."""


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The text fields of an upload, in the form in which the client sent them."""

    fields: Mapping[str, Sequence[str]]
    """By name, in the order in which the client sent them, including empty and ``UNKNOWN`` values."""
    filename: str = ""
    """The name that the client gives the file."""
    origin: UploadOrigin | None = None
    """Set by ``devpi-server import`` only."""

    @property
    def action(self) -> str:
        """``file_upload``, ``submit`` or ``doc_upload``."""
        return self.first(":action")

    def first(self, name: str) -> str:
        """Return the first value of a field, trimmed; empty if it is missing or ``UNKNOWN``."""
        value = next(iter(self.fields.get(name, ())), "").strip()
        return "" if value == "UNKNOWN" else value


@dataclass(frozen=True, slots=True)
class CheckedUpload:
    """An upload that passed the checks, with the data to record after its file is stored."""

    project: str
    version: str
    filename: str
    file: ReceivedFile | None
    detail: Any
    """Data that the plugin needs to record it; the server only passes it on."""


@dataclass(frozen=True, slots=True)
class RecordedUpload:
    """The outcome of an upload."""

    project: str
    version: str
    path: str = ""
    """The file's address below the index; empty for an upload without a file."""
    note: str = ""
    """A remark for the uploader, for example that the index already had the same file."""
    outcome: str = "uploaded"
    """``uploaded``; ``replaced`` if the index had a file of this name; ``kept`` if it keeps the file that it had."""
