"""The protocol of a file backend: a folder of this machine, or a bucket of an object store."""

from __future__ import annotations

import io
import re
from collections.abc import Hashable, Iterator
from typing import Any, BinaryIO, Protocol

from wheelgate.packages import ReceivedFile, StoredFile

READ_BUFFER_BYTES = 1 << 20
"""Bytes to read ahead, so that small reads need few requests to an object store."""


def path_in_store(sha256: str) -> str:
    """Return the path of a file by its hash; in 256 folders, because some programs are slow with large ones."""
    return f"{sha256[:2]}/{sha256[2:]}"


def stored_hash(path: str) -> str:
    """Return the hash of the file at a path of the store; empty if no stored file has such a path."""
    sha256 = path.replace("/", "")
    return sha256 if re.fullmatch("[0-9a-f]{64}", sha256) and path == path_in_store(sha256) else ""


class OpenFile(Protocol):
    """A stored file that is open for reading. Several threads may read at the same time."""

    identity: Hashable
    """A value that changes whenever the content may have changed."""
    modified: float
    """Seconds since 1970."""
    descriptor: int
    """The file descriptor; -1 if the operating system has no such file."""

    def read(self, start: int, count: int) -> bytes:
        """Return ``count`` bytes from ``start``. All of them must exist."""

    def in_page_cache(self, start: int, count: int) -> bool:
        """Return whether these bytes can be read without waiting; it looks at the first and the last of them only."""

    def read_cached(self, start: int, count: int) -> bytes | None:
        """Return ``count`` bytes from ``start`` if that takes no longer than a page-cache hit, else None."""

    def close(self) -> None:
        """Close it."""


class FileBackend(Protocol):
    """Stores files by their sha256, each at its :func:`path_in_store`. Its errors are ``BackendUnavailable``."""

    instant: bool
    """True if :meth:`open` and :meth:`size` are quick enough for the event loop."""

    def put(self, received: ReceivedFile) -> None:
        """Store a file. It replaces a stored file of the same hash, which may have been damaged since."""

    def sync(self, received: ReceivedFile) -> None:
        """Wait until a file from :meth:`put` would survive a power cut."""

    def size(self, sha256: str) -> int | None:
        """Return the size of a file in bytes; None if there is none of that hash."""

    def remove(self, path: str) -> None:
        """Remove the file at a path of the store, if there is one."""

    def open(self, stored: StoredFile) -> OpenFile:
        """Open a file for reading; raise ``Damaged`` if it is missing or has another size."""

    def set_aside(self, sha256: str) -> None:
        """Move a damaged file out of the store, to where an administrator can still look at it."""

    def list_files(self) -> Iterator[tuple[str, float]]:
        """Return the path of every file in the store, and when it was stored, in seconds since 1970."""


class OpenFileStream(io.RawIOBase):
    """An open stored file with the interface of Python's own files."""

    def __init__(self, file: OpenFile, size: int) -> None:
        self._file = file
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, and return it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return the number of bytes, 0 at the end of the file."""
        count = max(0, min(len(buffer), self._size - self._position))
        if count:
            buffer[:count] = self._file.read(self._position, count)
            self._position += count
        return count

    def close(self) -> None:
        """Close it."""
        if not self.closed:
            self._file.close()
        super().close()


def buffered(file: OpenFile, size: int) -> BinaryIO:
    """Wrap an open stored file in a buffered reader of Python."""
    return io.BufferedReader(OpenFileStream(file, size), READ_BUFFER_BYTES)
