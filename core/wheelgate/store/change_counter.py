"""Tells every process on one SQLite file that something changed, for the price of looking at a number in memory.

``PRAGMA data_version`` tells it too, but takes three system calls, a fifth of what a whole request costs.
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

from wheelgate.store import errors as faults

SUFFIX = "-beacon"
SIZE = 8


class Beacon:
    """A number in a file that all processes map: odd while a change is under way, another even one after it.

    It only grows, so that no number ever comes back. A writer that dies in the middle leaves an odd one, which says
    "look for yourself" until the next change.
    """

    def __init__(self, database: Path) -> None:
        """Open the beacon of a database file.

        Raises:
            FileNotFoundError: none was made.
            BackendUnavailable: it cannot be opened.
        """
        try:
            self._descriptor = os.open(f"{database}{SUFFIX}", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise faults.unusable(error) from error
        if os.fstat(self._descriptor).st_size != SIZE:  # cut by a crash; no server runs that would look at it
            os.close(self._descriptor)
            raise FileNotFoundError
        self._map = mmap.mmap(self._descriptor, SIZE, prot=mmap.PROT_READ)
        self._numbers = memoryview(self._map).cast("Q")
        self._lock = threading.Lock()

    @staticmethod
    def make(database: Path) -> None:
        """Make the beacon of a database, for its owner only, unless it is there. One process at a time may call."""
        descriptor = os.open(f"{database}{SUFFIX}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size != SIZE:
                os.pwrite(descriptor, bytes(SIZE), 0)
        finally:
            os.close(descriptor)

    @property
    def number(self) -> int:
        """The number now."""
        return self._numbers[0]

    def begin(self) -> int:
        """Make it odd and return it; SQLite's write lock must be held, and nothing be committed yet.

        Raises:
            BackendUnavailable: it cannot be written, so that others would not learn of the change.
        """
        try:
            with self._alone():
                mine = (self.number + 1) | 1
                self._write(mine)
        except OSError as error:
            raise faults.unusable(error) from error
        return mine

    def end(self, mine: int) -> None:
        """Make it even, now that everything is committed or undone.

        The write lock is free by then, so the next writer may have begun: the number is then left to that one.
        """
        with suppress(OSError), self._alone():  # what is done is done; a number that stays odd misleads nobody
            if self.number == mine:
                self._write(mine + 1)

    def close(self) -> None:
        """Let go of the file."""
        self._numbers.release()
        self._map.close()
        os.close(self._descriptor)

    def _write(self, number: int) -> None:
        # By a call, not into the map: on a full disk the one fails, the other kills the process (SIGBUS).
        os.pwrite(self._descriptor, number.to_bytes(SIZE, sys.byteorder), 0)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep the other threads, and then the other processes, from writing."""
        with self._lock:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
