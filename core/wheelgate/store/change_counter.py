"""A counter in shared memory that tells all processes on one SQLite file about a change.

Reading it costs one memory access. ``PRAGMA data_version`` also tells about changes, but needs three system calls, a
fifth of the cost of a whole request.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wheelgate.store.errors import translate_file_error

COUNTER_SUFFIX = "-beacon"
"""The counter's file has the name of the database file and this suffix."""
COUNTER_BYTES = 8


class ChangeCounter:
    """A number in a file that all processes map: odd during a change, and a larger even number after it (a seqlock).

    The number only grows, so no value ever comes back. A writer that dies during a change leaves an odd number. Readers
    then look at the database themselves until the next change.
    """

    def __init__(self, database: Path) -> None:
        """Open the counter of a database file.

        Raises:
            FileNotFoundError: the database has no counter.
            BackendUnavailable: the counter cannot be opened.
        """
        try:
            self._descriptor = os.open(f"{database}{COUNTER_SUFFIX}", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise translate_file_error(error) from error
        if os.fstat(self._descriptor).st_size != COUNTER_BYTES:  # cut off by a crash; no running server has it open
            os.close(self._descriptor)
            raise FileNotFoundError
        self._map = mmap.mmap(self._descriptor, COUNTER_BYTES, prot=mmap.PROT_READ)
        self._numbers = memoryview(self._map).cast("Q")
        self._lock = threading.Lock()

    @staticmethod
    def create(database: Path) -> None:
        """Create the counter of a database, for its owner only, unless it exists. Only one process may call it."""
        descriptor = os.open(f"{database}{COUNTER_SUFFIX}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size != COUNTER_BYTES:
                os.pwrite(descriptor, bytes(COUNTER_BYTES), 0)
        finally:
            os.close(descriptor)

    @property
    def number(self) -> int:
        """The current number."""
        return self._numbers[0]

    def begin(self) -> int:
        """Make the number odd and return it. Call it while holding SQLite's write lock, before the commit.

        Raises:
            BackendUnavailable: the number cannot be written, so other processes would not notice the change.
        """
        try:
            with self._locked():
                mine = (self.number + 1) | 1
                self._write(mine)
        except OSError as error:
            raise translate_file_error(error) from error
        return mine

    def end(self, mine: int) -> None:
        """Make the number even after the commit or rollback; ``mine`` is the result of :meth:`begin`.

        The write lock is free by then, so the next writer may have begun. It then makes the number even.
        """
        with suppress(OSError), self._locked():  # the change is committed, and an odd number misleads no reader
            if self.number == mine:
                self._write(mine + 1)

    def close(self) -> None:
        """Close the file."""
        self._numbers.release()
        self._map.close()
        os.close(self._descriptor)

    def _write(self, number: int) -> None:
        # By a call, not into the map: on a full disk the call fails, but the map kills the process (SIGBUS).
        os.pwrite(self._descriptor, number.to_bytes(COUNTER_BYTES, sys.byteorder), 0)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other threads and other processes from writing."""
        with self._lock:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
