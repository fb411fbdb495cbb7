"""The protocols of index types that hold packages, and of those that take uploads."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from wheelgate.packages.stored_files import OngoingDownload, ReceivedFile, StoredFile
from wheelgate.packages.values import (
    CheckedUpload,
    Project,
    ProjectList,
    RecordedUpload,
    Redirect,
    Release,
    UploadForm,
)
from wheelgate.values import Index


class PackageSource(Protocol):
    """The packages of all indices of one type.

    Unless its description says otherwise, a method may wait for a disk or a network; the server then calls it in
    threads of the index type. Methods raise ``NotFound`` if there is no such thing, ``Gone`` if it was removed,
    ``Forbidden`` if the source withholds it, and ``BadUpstream`` or ``UpstreamTimeout`` if an upstream gives no usable
    answer.
    """

    instant: bool
    """True if :meth:`projects`, :meth:`project`, :meth:`claims`, :meth:`releases` and :meth:`open` take no longer than
    a page-cache hit; the server then calls them on the event loop."""
    last: bool
    """True for mirrors: the server asks such an index after all others, and a project of an earlier index hides the
    project of the same name on this one."""

    def stamp(self, index: Index, project: str = "") -> Hashable:
        """Return a value that changes with every change of the project.

        Without a project it stands for the list of projects. It executes at most one SQL
        statement, so that a check for changes stays cheap.
        """

    def projects(self, index: Index) -> ProjectList:
        """Return the names of all projects that have a release."""

    def project(self, index: Index, name: str) -> Project | None:
        """Return a project; None if the index has no project of that name.

        A mirror that remembers this answer of its upstream raises ``NotFound`` with ``remembered_until``, also in
        :meth:`releases` and :meth:`open`, and :meth:`refresh` ends that.
        """

    def claims(self, index: Index, name: str) -> bool:
        """Return whether the name belongs to this index, so that indices with :attr:`last` may not answer for it.

        A name still belongs to an index after its last file was removed.
        """

    def releases(self, index: Index, name: str) -> Sequence[Release]:
        """Return all versions of a project with their metadata and files; none if there is no such project."""

    def open(self, index: Index, path: str) -> StoredFile | OngoingDownload | Redirect:
        """Return where the bytes of a file are; ``path`` is the address below the index."""

    def core_metadata(self, index: Index, path: str) -> bytes:
        """Return the core metadata of the file at ``path`` (PEP 658)."""

    def provenance(self, index: Index, path: str) -> bytes:
        """Return the provenance of the file at ``path``, a JSON document (PEP 740)."""

    def fetch_release(self, index: Index, name: str, version: str) -> Release:
        """Return one release, with all of its files stored. Missing files are downloaded.

        The server calls it outside of transactions.
        """

    def refresh(self, index: Index, name: str) -> None:
        """Expire a cached project, so that the next request for it asks the upstream.

        The server calls it outside of transactions, and anyone who may read the index can cause the call: if there is
        nothing to expire, change nothing.
        """

    def delete(self, index: Index, name: str, version: str | None = None, path: str | None = None) -> None:
        """Remove a project, one version, or the file at ``path``, and a version or project that is empty after that.

        Called within a transaction. The server has checked permissions and volatility.
        """

    def forget(self, index: Index) -> None:
        """Remove all records of an index that is being deleted. Called within the transaction that deletes it."""

    def references(self, sha256: str) -> bool:
        """Return whether any record refers to the stored file with that hash."""

    def stored_files(self) -> Iterator[tuple[StoredFile, str]]:
        """Return every stored file that a record refers to, each with a label for people: ``owner/index/+f/…``."""

    def mark_lost(self, sha256: str) -> None:
        """Stop offering a stored file that is missing or damaged. Called within a transaction."""


@runtime_checkable
class LocalPackages(Protocol):
    """A package source that can tell what this server holds by itself, for :class:`PackageReader`.

    A source does not need these methods. Without them, the packages of a source with an upstream (``last``) cannot be
    indexed, and the stamps of all projects together are that of the index. They never ask an upstream.
    """

    last: bool

    def local_stamp(self, index: Index, project: str = "") -> Hashable:
        """Return a value that changes with every change of the project; without one, of any project of the index."""

    def local_projects(self, index: Index) -> Sequence[str]:
        """Return the names of the projects of which this server holds a release, in order."""

    def local_releases(self, index: Index, name: str) -> Sequence[Release]:
        """Return the releases of a project that this server holds, oldest first."""


class PackageTarget(PackageSource, Protocol):
    """A source that also takes uploads."""

    def check_upload(self, index: Index, form: UploadForm, file: ReceivedFile | None) -> CheckedUpload:
        """Check an upload before its file is stored. Raise ``BadInput`` or ``Conflict`` with the reason."""

    def record_upload(self, index: Index, upload: CheckedUpload, who: str | None) -> RecordedUpload:
        """Record an upload whose file is stored. Called within a transaction.

        Check everything again that another request may have changed since :meth:`check_upload`. Unless this raises, a
        record refers to the file from now on. ``who`` is the user who uploads; None for anonymous.
        """

    def copy_release(
        self, index: Index, release: Release, source: Index, who: str | None, *, files: bool, docs: bool
    ) -> list[list[Any]]:
        """Record a release of another index, whose files are already stored, on this index.

        Called within a transaction. ``files`` and ``docs`` choose the files to record, and ``who`` is the user who
        pushes; None for anonymous. Return the lines of the action log in the form of the devpi protocol.
        """

    def yank(self, index: Index, name: str, version: str, reason: str | None) -> None:
        """Yank a version with a reason, which may be empty; None undoes it. Called within a transaction (PEP 592)."""

    def set_status(self, index: Index, name: str, status: str, reason: str) -> None:
        """Set the status of a project. Called within a transaction (PEP 792)."""

    def add_test_result(self, index: Index, path: str, result: StoredFile, who: str | None) -> str:
        """Record a test result of the file at ``path``; return the result's address below the index.

        Called within a transaction.
        """
