"""The garbage collector of stored files: it removes files that no record refers to any more.

It removes a file within a transaction that holds the lock of the file's hash, after no package source referred to it. A
record of a file is written within a transaction that holds the same lock and has checked that the file exists. So the
two never overlap.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from wheelgate.errors import Refusal
from wheelgate.files.backends import FileBackend, path_in_store
from wheelgate.logs import error_location
from wheelgate.packages import PackageSource
from wheelgate.store.database import Database

SWEEP_DELAY_SECONDS = 0.5
"""Seconds between a mark and the sweep: the transaction that sets the mark has to commit first."""
MAX_SWEEP_ATTEMPTS = 20
"""Sweeps that may find nothing before the thread waits for the next mark."""
BATCH_ROWS = 100
"""Marks that one statement writes or reads."""

log = logging.getLogger("wheelgate.files")


def lock_hashes(database: Database, hashes: Iterable[str]) -> None:
    """Lock files by their hashes until the open transaction ends: no other transaction can remove or record them."""
    if database.kind == "postgresql":
        for sha256 in sorted(set(hashes)):  # always in the same order, so that no two transactions wait for each other
            key = int.from_bytes(bytes.fromhex(sha256[:16]), signed=True)
            database.returning("SELECT pg_advisory_xact_lock(?)", (key,))


class SourceRegistry(Protocol):
    """Knows the package sources of all indices."""

    def sources(self) -> Sequence[PackageSource]:
        """Return the sources of all index types."""

    def complete(self) -> bool:
        """Return whether the plugin of every index is loaded. No file is removed unless it is."""


class GarbageCollector:
    """The table of marked files, and the thread that sweeps them shortly after they were marked."""

    def __init__(self, database: Database, backend: Callable[[], FileBackend], registry: SourceRegistry) -> None:
        self._database = database
        self._backend = backend
        self.sources = registry.sources
        self.complete = registry.complete
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def mark(self, hashes: Iterable[str]) -> None:
        """Mark files that may be unreferenced, within the transaction that removes their records."""
        rest = sorted(set(hashes))
        if not rest:
            return
        while rest:
            batch, rest = rest[:BATCH_ROWS], rest[BATCH_ROWS:]
            rows = ", ".join("(?)" for _ in batch)
            self._database.write(f"INSERT INTO doubted_file (sha256) VALUES {rows}", batch)  # noqa: S608 - only question marks
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
                self._thread.start()
        self._wake.set()

    def referenced(self, sha256: str) -> bool:
        """Return whether a record refers to the file, or may because the plugin of some index is not loaded."""
        return any(source.references(sha256) for source in self.sources()) or not self.complete()

    def remove_unreferenced(self, sha256: str) -> None:
        """Remove a file unless it is referenced."""
        with self._database.exclusive():
            lock_hashes(self._database, [sha256])
            if not self.referenced(sha256):
                self._backend().remove(path_in_store(sha256))

    def sweep(self) -> int:
        """Remove all marked files that are unreferenced; return the number of marks."""
        count = 0
        query = f"SELECT id, sha256 FROM doubted_file ORDER BY id LIMIT {BATCH_ROWS}"  # noqa: S608 - a constant
        while rows := self._database.read(query):
            for number, sha256 in rows:
                with self._database.transaction():
                    self.remove_unreferenced(sha256)
                    # By both columns: SQLite gives the id of a deleted row to the next one.
                    self._database.write("DELETE FROM doubted_file WHERE id = ? AND sha256 = ?", (number, sha256))
                count += 1
        return count

    def close(self) -> None:
        """End the thread after the file that it works on."""
        self._closed.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while self._wake.wait() and not self._closed.is_set():
            self._wake.clear()
            for _ in range(MAX_SWEEP_ATTEMPTS):
                if self._closed.wait(SWEEP_DELAY_SECONDS):
                    return
                try:
                    if self.sweep():
                        break
                except Refusal as error:
                    log.warning("unreferenced files could not be removed yet: %s", error)
                except Exception as error:  # noqa: BLE001 - the next mark, or the next start, tries again
                    log.error("unreferenced files could not be removed: %s", error_location(error))
                    break
