"""What keeps files: a folder of this machine, or a bucket of an object store."""

from __future__ import annotations

import io
from collections.abc import Hashable, Iterator
from typing import Any, BinaryIO, Protocol

from wheelgate.packages import DraftFile, StoredFile

BUFFER = 1 << 20
"""Bytes that are read ahead, so that an object store is not asked for every few."""


def place(sha256: str) -> str:
    """Return where a file of that hash lies; not all in one folder, for some programs are slow with large ones."""
    return f"{sha256[:2]}/{sha256[2:]}"


class Opened(Protocol):
    """A stored file that is being read; several threads may do so at once."""

    identity: Hashable
    """Another one whenever the content may be another."""
    modified: float
    """Seconds since 1970."""
    descriptor: int
    """Of an open file of the operating system; -1 if it is none."""

    def read(self, start: int, count: int) -> bytes:
        """Return as many bytes from there on, which must exist."""

    def at_hand(self, start: int, count: int) -> bool:
        """Say whether these bytes can be read without waiting, as far as one can tell by looking at their ends."""

    def read_now(self, start: int, count: int) -> bytes | None:
        """Return them if that takes no longer than a page-cache hit, else None."""

    def close(self) -> None:
        """Let go of it."""


class Store(Protocol):
    """Files by their sha256, each at its :func:`place`. What it raises is a ``BackendUnavailable``."""

    instant: bool
    """True if :meth:`open` and :meth:`size` are quick enough for the event loop."""

    def put(self, draft: DraftFile) -> None:
        """Keep a draft. A file that is there is replaced: it may have been damaged since."""

    def secure(self, draft: DraftFile) -> None:
        """Wait until a draft that was put is kept also through a power cut."""

    def size(self, sha256: str) -> int | None:
        """Return how many bytes a file has; None if it is not there."""

    def remove(self, place: str) -> None:
        """Remove what lies at a place, if anything does."""

    def open(self, stored: StoredFile) -> Opened:
        """Open a file for reading; ``Damaged`` if it is gone, or has another size."""

    def set_aside(self, sha256: str) -> None:
        """Move a damaged file to where it does no harm, and may still be looked at."""

    def all(self) -> Iterator[tuple[str, float]]:
        """Find everything that lies there: its place, and when it came, in seconds since 1970."""


class Stream(io.RawIOBase):
    """An opened file as Python's own libraries read one."""

    def __init__(self, opened: Opened, size: int) -> None:
        self._opened = opened
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read from anywhere."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as there is something."""
        count = max(0, min(len(buffer), self._size - self._position))
        if count:
            buffer[:count] = self._opened.read(self._position, count)
            self._position += count
        return count

    def close(self) -> None:
        """Let go of it."""
        if not self.closed:
            self._opened.close()
        super().close()


def stream(opened: Opened, size: int) -> BinaryIO:
    """Return an opened file as a buffered one."""
    return io.BufferedReader(Stream(opened, size), BUFFER)
