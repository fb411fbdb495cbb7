"""Packages on their way from one server to another, with everything that a server knows about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from wheelgate.packages.stored_files import ReceivedFile, StoredFile
from wheelgate.packages.values import LogEntry
from wheelgate.values import Index, empty_mapping


@dataclass(frozen=True, slots=True)
class MovedFile:
    """A file of a release, its documentation, or a test result."""

    rel: str
    """``releasefile``, ``doczip`` or ``toxresult``."""
    path: str
    """Its address below its index."""
    stored: StoredFile
    hashes: Mapping[str, str] = field(default_factory=empty_mapping)
    """Hexadecimal, by name."""
    uploaded: str = ""
    """As PEP 700 writes it: ``2026-01-31T12:00:00.123456Z``."""
    uploader: str | None = None
    """The name of the user; None for anonymous."""
    log: tuple[LogEntry, ...] = ()
    tested: str = ""
    """For a test result: the address of the tested file."""
    url: str = ""
    """For a mirrored file: its URL on the upstream."""
    requires_python: str | None = None
    core_metadata: bytes | None = None
    """The metadata file beside it (PEP 658)."""
    provenance: bytes | None = None
    """The provenance beside it (PEP 740)."""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class MovedRelease:
    """One version of a project."""

    version: str
    metadata: Mapping[str, Any]
    """The keys of version data on the wire."""
    files: tuple[MovedFile, ...] = ()
    """Test results come after the files that they are about."""
    yanked: str | None = None
    """The reason, which may be empty; None if the version is not yanked (PEP 592)."""


@dataclass(frozen=True, slots=True)
class MovedProject:
    """A project with all its versions."""

    name: str
    """Normalised (PEP 503)."""
    releases: tuple[MovedRelease, ...]
    status: str = "active"
    """One of :data:`~wheelgate.packages.STATUSES`."""
    status_reason: str = ""


@dataclass(frozen=True, slots=True)
class InspectedFile:
    """What an index type finds out about a file that another server accepted."""

    legacy: str = ""
    """Why no index would accept it today, because of its kind; empty if one would."""
    unreadable: str = ""
    """Why its content, or its name, does not fit; empty if it does."""
    requires_python: str | None = None
    core_metadata: bytes | None = None
    """The metadata file to serve beside it (PEP 658)."""


@runtime_checkable
class MovablePackages(Protocol):
    """A package source whose packages ``devpi-server import`` and ``export`` can move.

    Without it, an import creates the indices of the type without packages, and an export leaves their packages out.
    """

    def inspect_file(
        self, index: Index, project: str, version: str, name: str, file: ReceivedFile, rel: str
    ) -> InspectedFile:
        """Look into a file of an export, which may be of any age. It raises nothing: the file is kept in any case."""

    def import_project(self, index: Index, project: MovedProject) -> None:
        """Record a project of an export, whose files are stored. Called within a transaction.

        The index has been created in the same transaction, and has no project of that name.
        """

    def moved_projects(self, index: Index, *, mirrored: bool) -> Iterator[MovedProject]:
        """Yield all projects of an index, in the order of their names, for an export.

        Called within a snapshot of the database. ``mirrored`` says whether downloaded copies of an upstream's files are
        wanted too.
        """


def movable(source: object) -> MovablePackages | None:
    """Return a package source if its packages can be moved, else None."""
    return source if isinstance(source, MovablePackages) else None
