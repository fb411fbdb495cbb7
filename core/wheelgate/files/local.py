"""Stored files in a folder of this machine: ``files/sha256/ab/cdef…``."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Hashable, Iterator
from contextlib import suppress
from pathlib import Path

from wheelgate.disk import create_private_file, make_private_folder, sync, sync_and_close, write_all
from wheelgate.files.backends import path_in_store
from wheelgate.files.errors import damaged_file, translated
from wheelgate.packages import ReceivedFile, StoredFile

MAX_SINGLE_READ_BYTES = 65_536
"""Bytes up to which :meth:`LocalFile.read_cached` reads in one step, into a buffer that has to be copied."""


class LocalFile:
    """A file on a disk. It stays readable to its end even if it is removed."""

    descriptor = -1

    def __init__(self, path: str) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        found = os.fstat(self.descriptor)
        self.size = found.st_size
        self.modified = found.st_mtime
        self.identity: Hashable = (found.st_ino, found.st_mtime_ns, found.st_size)

    def __del__(self) -> None:
        self.close()

    def read(self, start: int, count: int) -> bytes:
        """Return ``count`` bytes from ``start``.

        Raises:
            BackendUnavailable: the disk fails, or the file has become shorter.
        """
        with translated():
            data = os.pread(self.descriptor, count, start)
            while len(data) < count:
                more = os.pread(self.descriptor, count - len(data), start + len(data))
                if not more:
                    raise OSError(errno.EIO, "the file has become shorter")
                data += more
            return data

    def in_page_cache(self, start: int, count: int) -> bool:
        """Return whether the kernel has the first and the last of these bytes in memory, and then usually the rest."""
        try:
            for position in (start, start + count - 1):
                os.preadv(self.descriptor, [bytearray(1)], position, os.RWF_NOWAIT)
        except (OSError, AttributeError):  # not in memory; or the file system, or the system, does not tell
            return False
        return True

    def read_cached(self, start: int, count: int) -> bytes | None:
        """Return ``count`` bytes from ``start`` if the kernel has them in memory, else None."""
        if count > MAX_SINGLE_READ_BYTES:
            return self.read(start, count) if self.in_page_cache(start, count) else None
        try:
            data = bytearray(count)
            found = os.preadv(self.descriptor, [data], start, os.RWF_NOWAIT)
        except (OSError, AttributeError):
            return None
        return bytes(data) if found == count else None

    def close(self) -> None:
        """Close it."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class LocalBackend:
    """The folder. A file in it never changes, and is either complete or absent."""

    instant = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._prefix = f"{folder}/"  # PERF: joining paths took half of the time to find a file
        self._unsynced: dict[str, int] = {}
        """Descriptors of files that were written but not synced, by their hash."""

    def put(self, received: ReceivedFile) -> None:
        """Store a file. It replaces a stored file of the same hash, which may have been damaged since."""
        put = self._link if received.path else self._write
        path = self._prefix + path_in_store(received.stored.sha256)
        with translated():
            try:
                put(received, path)
            except FileNotFoundError:
                make_private_folder(Path(path).parent)
                for folder in (self._folder, *self._folder.parents[:2]):  # each contains the name of the one before
                    sync(folder)
                put(received, path)
            except FileExistsError:
                aside = self._folder.with_name("drafts") / f"{received.stored.sha256}.{secrets.token_hex(8)}"
                make_private_folder(aside.parent)
                put(received, str(aside))
                sync(aside)  # before it replaces the stored file: other records need that one
                aside.rename(path)
                aside.unlink(missing_ok=True)  # rename does nothing if both names belong to one file

    def sync(self, received: ReceivedFile) -> None:
        """Wait until a file from :meth:`put`, and its name, are on the disk."""
        sha256 = received.stored.sha256
        descriptor = self._unsynced.pop(sha256, -1)
        with translated():
            if descriptor >= 0:
                sync_and_close(descriptor)
            else:
                sync(self._prefix + path_in_store(sha256))
            sync(self._prefix + path_in_store(sha256).partition("/")[0])

    def _link(self, received: ReceivedFile, path: str) -> None:
        os.link(received.path, path)

    def _write(self, received: ReceivedFile, path: str) -> None:
        """Write a file from memory. It stays open until it is synced, which costs less than to open it again."""
        descriptor = create_private_file(path)
        try:
            write_all(descriptor, received.content or b"")
        except OSError:
            os.close(descriptor)
            os.unlink(path)  # noqa: PTH108
            raise
        if (before := self._unsynced.pop(received.stored.sha256, -1)) >= 0:
            os.close(before)
        self._unsynced[received.stored.sha256] = descriptor

    def size(self, sha256: str) -> int | None:
        """Return the size of a file in bytes; None if there is none of that hash."""
        with translated():
            try:
                return os.stat(self._prefix + path_in_store(sha256)).st_size  # noqa: PTH116 - see the prefix
            except FileNotFoundError:
                return None

    def remove(self, path: str) -> None:
        """Remove the file at a path of the store, if there is one."""
        with translated():
            (self._folder / path).unlink(missing_ok=True)

    def open(self, stored: StoredFile) -> LocalFile:
        """Open a file.

        Raises:
            Damaged: it is missing, or has another size.
        """
        with translated():
            try:
                file = LocalFile(self._prefix + path_in_store(stored.sha256))
            except FileNotFoundError:
                raise damaged_file(stored, "missing") from None
        if file.size != stored.size:
            file.close()
            raise damaged_file(stored, f"{file.size} bytes long instead of {stored.size}")
        return file

    def set_aside(self, sha256: str) -> None:
        """Move a damaged file to ``files/damaged/``."""
        aside = self._folder.with_name("damaged")
        with translated():
            make_private_folder(aside)
            (self._folder / path_in_store(sha256)).rename(aside / sha256)

    def list_files(self) -> Iterator[tuple[str, float]]:
        """Return the path of every file in the store, and when it was stored, in seconds since 1970."""
        with translated():
            for path in self._folder.rglob("*"):
                with suppress(FileNotFoundError):  # it has just been removed
                    found = path.lstat()
                    if not stat.S_ISDIR(found.st_mode):
                        yield str(path.relative_to(self._folder)), found.st_mtime
