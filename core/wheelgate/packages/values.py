"""Projects, files and releases as simple pages and version data show them, and what an upload brings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wheelgate.packages.stored_files import DraftFile, StoredFile
from wheelgate.values import nothing

STATUSES = ("active", "archived", "quarantined", "deprecated")
"""The markers of PEP 792."""
SEPARATORS = re.compile(r"[-_.]+")


def normalize(name: str) -> str:
    """Return the normalised name of a project (PEP 503)."""
    return SEPARATORS.sub("-", name).lower()


@dataclass(frozen=True, slots=True)
class File:
    """One file of a project, as a simple page shows it."""

    name: str
    version: str
    """As the file's name or metadata says; empty if it says none."""
    path: str
    """Its address below its index: ``+f/<3 digits of sha256>/<13 more>/<name>``, or ``+e/…/<name>``."""
    hashes: Mapping[str, str] = field(default_factory=nothing)
    """Hexadecimal, by the names that ``hashlib`` has for them."""
    size: int | None = None
    """Bytes."""
    upload_time: str | None = None
    """As PEP 700 writes it: ``2026-01-31T12:00:00.123456Z``."""
    requires_python: str | None = None
    yanked: str | None = None
    """The reason, which may be empty; None if the file is not yanked (PEP 592)."""
    core_metadata: str | None = None
    """The sha256 of the metadata sibling (PEP 714), empty if unknown; None if there is no sibling."""
    provenance: str | None = None
    """The address of its provenance below its index (PEP 740)."""


@dataclass(frozen=True, slots=True)
class Project:
    """What one index holds of a project."""

    name: str
    files: tuple[File, ...]
    """Oldest version first."""
    versions: tuple[str, ...]
    """All versions, also those without files (PEP 700)."""
    status: str = "active"
    """One of :data:`STATUSES`."""
    status_reason: str = ""
    stale: bool = False
    """True if an upstream that should have been asked did not answer."""
    until: float | None = None
    """Seconds since 1970 at which it has to be asked for again, even if its stamp is the same; None for never."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The names of all projects of one index, in order; the last two fields are those of :class:`Project`."""

    names: Sequence[str]
    stale: bool = False
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """One line of a file's history."""

    what: str
    """``upload``, ``overwrite`` or ``push``."""
    who: str | None
    when: datetime
    dst: str
    """``owner/index``."""
    src: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A file that belongs to a release."""

    rel: str
    """``releasefile``, ``doczip`` or ``toxresult``."""
    path: str
    """Its address below the index that holds the release."""
    stored: StoredFile | None
    """Where its bytes are; None for a file of an upstream that nobody has asked for yet."""
    hashes: Mapping[str, str] = field(default_factory=nothing)
    log: tuple[Log, ...] = ()
    for_path: str | None = None
    """Of a test result: the file that was tested."""
    requires_python: str | None = None
    """This, and what follows, is there in a release that was obtained, for another index to take."""
    core_metadata: bytes | None = None
    """What is served beside the file (PEP 658)."""
    provenance: bytes | None = None
    """What is served beside the file (PEP 740)."""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a project on one index."""

    name: str
    """As it was spelt last."""
    version: str
    metadata: Mapping[str, Any]
    """The keys of version data on the wire, ``name`` and ``version`` included."""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A file that the client is to fetch from its upstream itself."""

    url: str


@dataclass(frozen=True, slots=True)
class Form:
    """What an upload says besides the file: the text fields of the form, as they were sent."""

    fields: Mapping[str, Sequence[str]]
    """By name, in the order in which they were sent; empty and ``UNKNOWN`` values included."""
    filename: str = ""
    """The name that the client gave the file."""

    @property
    def action(self) -> str:
        """``file_upload``, ``submit`` or ``doc_upload``."""
        return self.first(":action")

    def first(self, name: str) -> str:
        """Return the first value of a field, trimmed; empty if it is missing or ``UNKNOWN``."""
        value = next(iter(self.fields.get(name, ())), "").strip()
        return "" if value == "UNKNOWN" else value


@dataclass(frozen=True, slots=True)
class Inspected:
    """An upload that is in order: what to record, once its file is kept."""

    project: str
    version: str
    filename: str
    file: DraftFile | None
    detail: Any
    """The plugin's own."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an upload."""

    project: str
    version: str
    path: str = ""
    """The file's address below the index; empty if there was no file."""
    note: str = ""
    """What the uploader should know, for example that the very same file was there."""
