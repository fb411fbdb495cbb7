"""The files of packages, for plugins and resources: ``server.files``."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from wheelgate.config import Config
from wheelgate.disk import make_private_folder
from wheelgate.errors import Conflict, Refusal, StartupError
from wheelgate.files.backends import FileBackend, buffered, path_in_store, stored_hash
from wheelgate.files.bulk import BackendBulkStore, BulkStore, LocalBulkStore
from wheelgate.files.errors import translated
from wheelgate.files.fetching import SharedDownloads
from wheelgate.files.fsck import FileCheck, FileCheckOptions
from wheelgate.files.garbage import GarbageCollector, SourceRegistry, lock_hashes
from wheelgate.files.incoming import IncomingFolder, received_in_memory
from wheelgate.files.journal import CommitJournal
from wheelgate.files.local import LocalBackend
from wheelgate.files.usage import FileUsage
from wheelgate.packages import IncomingFile, OngoingDownload, ReceivedFile, StoredFile
from wheelgate.store.database import Database

ABSENT_SHA256 = "0" * 64
"""A hash that no file has."""

log = logging.getLogger("wheelgate.files")


def file_backend(config: Config) -> FileBackend:
    """Return the folder or the bucket that the settings name.

    Raises:
        StartupError: the bucket cannot be used.
    """
    if config["files"] is None:
        return LocalBackend(config.serverdir / "files" / "sha256")
    from wheelgate.files.s3 import S3Backend  # most servers run without it

    return S3Backend(config["files"], config["files-endpoint"])


class Files:
    """Receives files, stores them under their hash, and opens them.

    An upload goes through :meth:`receive` or :meth:`from_bytes`, then :meth:`store`, then, within the transaction that
    records the file, :meth:`ensure_stored`, and at last :meth:`clean_up`.
    """

    def __init__(self, config: Config, database: Database, registry: SourceRegistry) -> None:
        """Take the settings, the database and the registry of package sources.

        It creates nothing on the disk before it is needed.

        Raises:
            StartupError: ``--files-endpoint`` is given without ``--files``: files would stay in the folder unnoticed.
        """
        if config["files-endpoint"] is not None and config["files"] is None:
            raise StartupError("--files-endpoint is given, but no --files: give the bucket, or leave it out")
        folder = config.serverdir / "files"
        self._config = config
        self._folder = folder
        self._database = database
        self._incoming = IncomingFolder(folder / "drafts")
        self._garbage = GarbageCollector(database, lambda: self.backend, registry)
        self._downloads = SharedDownloads(folder / "spool", self._incoming, self.clean_up)
        self._journal = CommitJournal(folder / "placing")
        self._put: set[ReceivedFile] = set()

    @cached_property
    def backend(self) -> FileBackend:
        """The folder or bucket. Its threads do not survive a fork, so each process creates its own."""
        return file_backend(self._config)

    def receive(self, *hashes: str) -> IncomingFile:
        """Begin to receive a file; ``hashes`` names the hashes to compute in addition to sha256, such as ``md5``."""
        return self._incoming.receive(hashes)

    def from_bytes(self, content: bytes, *hashes: str) -> ReceivedFile:
        """Return a file that was received in one piece. It stays in memory until it is stored."""
        return received_in_memory(content, hashes)

    def store(self, received: ReceivedFile) -> StoredFile:
        """Store a file durably. Call it outside of transactions, because it may take long.

        Raises:
            StorageFull: no space is left.
            BackendUnavailable: the disk or the object store fails.
        """
        self.put(received)
        self.sync(received)
        return received.stored

    def put(self, received: ReceivedFile) -> None:
        """Do the first half of :meth:`store`. For several files it is faster to put all of them before any sync."""
        if received not in self._put and not received.path:
            self._journal.begin(received.stored.sha256)
        self._put.add(received)
        self.backend.put(received)

    def sync(self, received: ReceivedFile) -> None:
        """Do the second half of :meth:`store`: wait until the file is on the disk."""
        self.backend.sync(received)

    def bulk(self, *, links: bool = False) -> BulkStore:
        """Return a way to store many files while no server runs.

        Args:
            links: link files instead of copying them, where the file system can.

        Raises:
            StartupError: links are wanted, but the files are in a bucket.
        """
        if self._config["files"] is None:
            return LocalBulkStore(self._folder / "sha256", links=links)
        if links:
            raise StartupError("--hard-links: package files are in a bucket (--files); leave one of the two out")
        return BackendBulkStore(self.backend)

    def local_path(self, stored: StoredFile) -> Path | None:
        """Return where a file is on this machine; None if it is in a bucket."""
        return None if self._config["files"] is not None else self._folder / "sha256" / path_in_store(stored.sha256)

    def ensure_stored(self, received: ReceivedFile) -> None:
        """Store a file again if it was removed since :meth:`store`. Call it within the transaction that records it."""
        lock_hashes(self._database, [received.stored.sha256])
        if self.backend.size(received.stored.sha256) != received.stored.size:
            self.store(received)

    def require_stored(self, stored: Iterable[StoredFile]) -> None:
        """Check that stored files still exist. Call it within the transaction that records them once more.

        Raises:
            Conflict: one was removed in the meantime.
        """
        wanted = list(stored)
        lock_hashes(self._database, [each.sha256 for each in wanted])
        if any(self.backend.size(each.sha256) != each.size for each in wanted):
            raise Conflict("a file of this release was removed in the meantime, so nothing was changed; try again")

    def clean_up(self, received: ReceivedFile, *, recorded: bool = False) -> None:
        """Remove all traces of a received file, and the stored file if no record refers to it.

        Call it after the transaction.

        Args:
            received: the file.
            recorded: True if a transaction has recorded the file; the server then asks no source.
        """
        was_put = received in self._put
        self._put.discard(received)
        try:
            if was_put and not recorded and not self._garbage.referenced(received.stored.sha256):
                self._garbage.remove_unreferenced(received.stored.sha256)
        except Refusal as error:
            # The received file or the journal entry stays, so that the next start finds the stored file.
            log.warning("an upload will be cleaned up at the next start: %s", error)
            return
        if received.path:
            with suppress(OSError):
                os.unlink(received.path)  # noqa: PTH108
        elif was_put:
            self._journal.end(received.stored.sha256)

    def mark_unreferenced(self, hashes: Iterable[str]) -> None:
        """Mark stored files that may be unreferenced now. Call it within the transaction that removes their records.

        The server removes a marked file after the commit, unless another record refers to it.
        """
        self._garbage.mark(hashes)

    def remove_marked(self) -> None:
        """Remove now the marked files that are unreferenced. Call it outside of transactions.

        Raises:
            BackendUnavailable: the database, the disk or the object store does not answer.
        """
        self._garbage.sweep()

    def open(self, stored: StoredFile) -> BinaryIO:
        """Open a stored file for reading.

        Raises:
            Damaged: it is missing, or has another size.
        """
        return buffered(self.backend.open(stored), stored.size)

    def fetch(self, key: str, size: int | None, download: Callable[[IncomingFile], StoredFile]) -> OngoingDownload:
        """Join the ongoing download with that key on this machine, or begin one.

        Args:
            key: names the file, for example ``root/pypi/+f/…``.
            size: bytes of the complete file; None if the upstream does not say.
            download: does the download, in a thread of its own. It first looks whether the file was stored in the
                meantime, and returns it if so. Otherwise it writes the bytes, finishes the incoming file, checks it,
                stores and records it, and returns the stored file; the server cleans up. All clients that wait get
                the exception that it raises.
        """
        return self._downloads.fetch(key, size, download)

    def check(self, *, hashes: bool, repair: bool, grace: float, accept_losses: bool = False) -> FileCheck:
        """Return a check of all files: see :class:`FileCheck`. No other process may use the folder."""
        options = FileCheckOptions(hashes, repair, grace, accept_losses)
        return FileCheck(self.backend, self._garbage, self._leftovers, self._database, options)

    def usage(self) -> FileUsage:
        """Return sums over all recorded files. Close it after use; another server may use the folder."""
        return FileUsage(each for source in self._garbage.sources() for each in source.file_records())

    def needed(self) -> Iterator[StoredFile]:
        """Yield every stored file that a record refers to, once; all stored files if a plugin of an index is missing.

        A file that was recorded may be missing or damaged.
        """
        seen = set()
        for source in self._garbage.sources():
            for stored, _ in source.stored_files():
                if stored.sha256 not in seen:
                    seen.add(stored.sha256)
                    yield stored
        if not self._garbage.complete():
            yield from (stored for stored in self.stored() if stored.sha256 not in seen)

    def stored(self) -> Iterator[StoredFile]:
        """Yield every stored file, also those that no record refers to."""
        for path, _ in list(self.backend.list_files()):
            sha256 = stored_hash(path)
            size = self.backend.size(sha256) if sha256 else None
            if size is not None:
                yield StoredFile(sha256, size)

    def is_lost(self, stored: StoredFile) -> bool:
        """Return whether a record refers to a file that is missing or has another size. Waits for ongoing changes."""
        with self._database.exclusive():
            lock_hashes(self._database, [stored.sha256])
            return self._garbage.referenced(stored.sha256) and self.backend.size(stored.sha256) != stored.size

    def remove_unreferenced(self) -> None:
        """Remove the marked files that no record refers to any more; a running server does that by itself."""
        self._garbage.sweep()

    def sweep(self) -> None:
        """Remove the leftovers of a crash, and all marked files that are unreferenced.

        No other process may use the folder.

        Raises:
            BackendUnavailable: the database, the disk or the object store does not answer.
        """
        if self._config["files"] is None:
            with translated():
                make_private_folder(self._folder / "sha256")
        self.backend.size(ABSENT_SHA256)  # raises if the backend does not answer
        next(iter(self.backend.list_files()), None)  # raises if there is no such bucket
        self._downloads.sweep()
        for path, hashes in self._leftovers():
            for sha256 in hashes:
                self._garbage.remove_unreferenced(sha256)
            with suppress(OSError):
                path.unlink()
        self._garbage.sweep()

    def _leftovers(self) -> Iterator[tuple[Path, list[str]]]:
        """Return the files that interrupted uploads have left, each with the hashes that it names."""
        yield from self._incoming.leftovers()
        yield from self._journal.leftovers()

    def close(self) -> None:
        """End the threads."""
        self._downloads.close()
        self._journal.close()
        self._garbage.close()
