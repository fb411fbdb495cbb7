"""What an index type brings that holds packages, and what one brings that takes uploads."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Protocol

from wheelgate.packages.stored_files import DraftFile, Growing, StoredFile
from wheelgate.packages.values import Elsewhere, Form, Inspected, Listing, Project, Recorded, Release
from wheelgate.values import Index


class PackageSource(Protocol):
    """Where the packages of one type of index come from.

    Methods that do not say otherwise may wait for a disk or a network; they are then called in threads of the index
    type. They raise ``NotFound`` for what is not there, ``Gone`` for what was, ``Forbidden`` for what is held back,
    and ``BadUpstream`` or ``UpstreamTimeout`` if nobody knows because an upstream does not say.
    """

    instant: bool
    """True if :meth:`projects`, :meth:`project`, :meth:`claims`, :meth:`releases` and :meth:`open` take no longer than
    a page-cache hit, so that they may run on the event loop."""
    last: bool
    """True for indices that are asked after all others and hidden by them: mirrors."""

    def stamp(self, index: Index, project: str = "") -> Hashable:
        """Return a value that is another one whenever something about the project has changed.

        Without a project it stands for the list of projects. It reads the database by one statement at most, so that
        it costs no more than noticing that nothing has changed.
        """

    def projects(self, index: Index) -> Listing:
        """Return the names of all projects that have a release."""

    def project(self, index: Index, name: str) -> Project | None:
        """Return a project; None if the index has none of that name."""

    def claims(self, index: Index, name: str) -> bool:
        """Say whether the name belongs to this index, so that the ones that are asked last may not answer for it.

        A name goes on belonging to an index after its last file is removed.
        """

    def releases(self, index: Index, name: str) -> Sequence[Release]:
        """Return all versions of a project with their metadata and links; empty if there is no such project."""

    def open(self, index: Index, path: str) -> StoredFile | Growing | Elsewhere:
        """Return where the bytes of a file are; ``path`` is the address below the index."""

    def core_metadata(self, index: Index, path: str) -> bytes:
        """Return the core metadata of the file at ``path`` (PEP 658)."""

    def provenance(self, index: Index, path: str) -> bytes:
        """Return the provenance of the file at ``path``, a JSON document (PEP 740)."""

    def obtain(self, index: Index, name: str, version: str) -> Release:
        """Return one release with the bytes of every link at hand, fetching what is not. Outside of transactions."""

    def refresh(self, index: Index, name: str) -> None:
        """Ask the upstream again when the project is asked for next. Within a transaction."""

    def delete(self, index: Index, name: str, version: str | None = None, path: str | None = None) -> None:
        """Remove a project, one version, or the file at ``path``; what is left empty by that goes too.

        Within a transaction. Core has asked for rights, and about volatility.
        """

    def forget(self, index: Index) -> None:
        """Drop everything of an index that is deleted. Within its transaction."""

    def refers(self, sha256: str) -> bool:
        """Say whether any record needs the stored file of that hash."""

    def stored_files(self) -> Iterator[tuple[StoredFile, str]]:
        """Name every stored file that a record needs, each with a label for people: ``owner/index/+f/…``."""

    def lost(self, sha256: str) -> None:
        """Act on a stored file that is gone or damaged, so that it is not offered any longer. Within a transaction."""


class PackageTarget(PackageSource, Protocol):
    """A source that takes uploads."""

    def inspect(self, index: Index, form: Form, file: DraftFile | None) -> Inspected:
        """Check an upload before anything is kept; raise ``BadInput`` or ``Conflict`` with the reason."""

    def record(self, index: Index, inspected: Inspected, who: str | None) -> Recorded:
        """Record an upload whose file is kept. Within a transaction; check again what may have changed meanwhile.

        Unless it raises, a record refers to the file from then on.
        """

    def take(
        self, index: Index, release: Release, source: Index, who: str | None, *, files: bool, docs: bool
    ) -> list[list[Any]]:
        """Record a release of another index, whose files are kept already, as its own.

        Within a transaction. Return the lines of the action log, as they go over the wire.
        """

    def yank(self, index: Index, name: str, version: str, reason: str | None) -> None:
        """Yank a version with a reason, which may be empty; None takes it back. Within a transaction (PEP 592)."""

    def set_status(self, index: Index, name: str, status: str, reason: str) -> None:
        """Set the status of a project. Within a transaction (PEP 792)."""

    def add_result(self, index: Index, path: str, result: StoredFile, who: str | None) -> str:
        """Record the result of a test of the file at ``path``; return the result's address below the index.

        Within a transaction.
        """
