"""Stored files that may not be needed any longer: who notes them, and who removes what nobody needs.

A file is removed inside a transaction that holds the lock of its hash, after every source was asked for it; a record
of it is made inside one that holds the same lock and has looked that the file is there. So neither passes the other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence

from wheelgate.errors import Refusal
from wheelgate.files.backends import Store, place
from wheelgate.logs import where
from wheelgate.packages import PackageSource
from wheelgate.store.database import Database

SOON = 0.5
"""Seconds until it is looked whether a transaction that left doubts is through."""
LOOKS = 20
AT_ONCE = 100
"""Doubts that are noted or read by one statement."""

log = logging.getLogger("wheelgate.files")


def lock(database: Database, hashes: Iterable[str]) -> None:
    """Keep others from removing or confirming these files until the open transaction ends."""
    if database.kind == "postgresql":
        for sha256 in sorted(set(hashes)):  # in one order, so that no two wait for each other
            key = int.from_bytes(bytes.fromhex(sha256[:16]), signed=True)
            database.returning("SELECT pg_advisory_xact_lock(?)", (key,))


class Doubts:
    """The table of doubted files, and the thread that sweeps them soon after they were noted."""

    def __init__(self, database: Database, store: Callable[[], Store]) -> None:
        self._database = database
        self._store = store
        self.sources: Sequence[PackageSource] = ()
        self.complete: Callable[[], bool] = lambda: False
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def ask(self, sources: Sequence[PackageSource], complete: Callable[[], bool]) -> None:
        """Take those who are asked what they need, and who says whether these are all: else nothing is removed."""
        self.sources = sources
        self.complete = complete

    def note(self, hashes: Iterable[str]) -> None:
        """Write doubts down, within the transaction that raises them; they are swept soon after its commit."""
        rest = sorted(set(hashes))
        if not rest:
            return
        while rest:
            now, rest = rest[:AT_ONCE], rest[AT_ONCE:]
            marks = ", ".join("(?)" for _ in now)
            self._database.write(f"INSERT INTO doubted_file (sha256) VALUES {marks}", now)  # noqa: S608 - only marks
        with self._lock:
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
                self._thread.start()
        self._wake.set()

    def needed(self, sha256: str) -> bool:
        """Say whether any record needs the file, or may: without the plugin of an index nobody knows."""
        return any(source.refers(sha256) for source in self.sources) or not self.complete()

    def settle(self, sha256: str) -> None:
        """Remove a file if nobody needs it."""
        with self._database.transaction():
            lock(self._database, [sha256])
            if not self.needed(sha256):
                self._store().remove(place(sha256))

    def sweep(self) -> int:
        """Settle all doubts; return how many there were."""
        count = 0
        while rows := self._database.read(f"SELECT id, sha256 FROM doubted_file ORDER BY id LIMIT {AT_ONCE}"):  # noqa: S608 - a constant
            for number, sha256 in rows:
                with self._database.transaction():
                    self.settle(sha256)
                    # By both: SQLite gives the number of a row that is gone to the next one.
                    self._database.write("DELETE FROM doubted_file WHERE id = ? AND sha256 = ?", (number, sha256))
                count += 1
        return count

    def close(self) -> None:
        """End the thread, after the doubt that it is at."""
        self._ended.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while self._wake.wait() and not self._ended.is_set():
            self._wake.clear()
            for _ in range(LOOKS):
                if self._ended.wait(SOON):
                    return
                try:
                    if self.sweep():
                        break
                except Refusal as error:
                    log.warning("stored files could not be swept yet: %s", error)
                except Exception as error:  # noqa: BLE001 - the next doubt, or the next start, tries again
                    log.error("stored files could not be swept: %s", where(error))
                    break
