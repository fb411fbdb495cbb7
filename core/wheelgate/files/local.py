"""Stored files in a folder: ``files/sha256/ab/cdef…``."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Hashable, Iterator
from contextlib import suppress
from pathlib import Path

from wheelgate.files import faults
from wheelgate.files.stores import place
from wheelgate.packages import DraftFile, StoredFile

FEW = 65_536
"""Bytes that are read in one step, by way of a buffer that has to be copied."""


class LocalFile:
    """A file on a disk, by its descriptor: it can be read to its end even if its name goes meanwhile."""

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
        """Return as many bytes from there on.

        Raises:
            BackendUnavailable: the disk fails, or the file has become shorter.
        """
        with faults.told():
            data = os.pread(self.descriptor, count, start)
            while len(data) < count:
                more = os.pread(self.descriptor, count - len(data), start + len(data))
                if not more:
                    raise OSError(errno.EIO, "the file has become shorter")
                data += more
            return data

    def at_hand(self, start: int, count: int) -> bool:
        """Say whether the kernel has both ends of them in memory, which then goes for what is in between."""
        try:
            for place in (start, start + count - 1):
                os.preadv(self.descriptor, [bytearray(1)], place, os.RWF_NOWAIT)
        except (OSError, AttributeError):  # not in memory; a file system, or a system, that cannot tell
            return False
        return True

    def read_now(self, start: int, count: int) -> bytes | None:
        """Return them if the kernel has them in memory."""
        if count > FEW:
            return self.read(start, count) if self.at_hand(start, count) else None
        try:
            data = bytearray(count)
            found = os.preadv(self.descriptor, [data], start, os.RWF_NOWAIT)
        except (OSError, AttributeError):
            return None
        return bytes(data) if found == count else None

    def close(self) -> None:
        """Let go of it."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class LocalStore:
    """The folder. A file in it never changes; it is there whole or not at all."""

    instant = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._prefix = f"{folder}/"  # PERF: half of what it takes to find a file went into joining paths

    def put(self, draft: DraftFile) -> None:
        """Give the draft its place. A file that is there is replaced: it may have been damaged since."""
        path = self._prefix + place(draft.stored.sha256)
        with faults.told():
            try:
                os.link(draft.path, path)
            except FileNotFoundError:
                make_private(Path(path).parent)
                _sync(self._folder)
                _sync(self._folder.parent)
                os.link(draft.path, path)
            except FileExistsError:
                _sync(draft.path)  # others need what it takes the place of, and so must it be on the disk before
                aside = Path(f"{draft.path}{secrets.token_hex(8)}")  # among the drafts, where a crash leaves no riddle
                os.link(draft.path, aside)
                aside.rename(path)
                aside.unlink(missing_ok=True)  # rename does nothing if both names are those of one file

    def secure(self, draft: DraftFile) -> None:
        """Wait until a file that was given its place is on the disk, and its name too."""
        with faults.told():
            _sync(draft.path)
            _sync(self._prefix + place(draft.stored.sha256).partition("/")[0])

    def size(self, sha256: str) -> int | None:
        """Return how many bytes a file has; None if it is not there."""
        with faults.told():
            try:
                return os.stat(self._prefix + place(sha256)).st_size  # noqa: PTH116 - see the prefix
            except FileNotFoundError:
                return None

    def remove(self, place: str) -> None:
        """Remove what lies at a place, if anything does."""
        with faults.told():
            (self._folder / place).unlink(missing_ok=True)

    def open(self, stored: StoredFile) -> LocalFile:
        """Open a file.

        Raises:
            Damaged: it is gone, or has another size.
        """
        with faults.told():
            try:
                file = LocalFile(self._prefix + place(stored.sha256))
            except FileNotFoundError:
                raise faults.damaged(stored, "missing") from None
        if file.size != stored.size:
            file.close()
            raise faults.damaged(stored, f"{file.size} bytes long instead of {stored.size}")
        return file

    def set_aside(self, sha256: str) -> None:
        """Move a damaged file to ``files/damaged/``."""
        aside = self._folder.with_name("damaged")
        with faults.told():
            make_private(aside)
            (self._folder / place(sha256)).rename(aside / sha256)

    def all(self) -> Iterator[tuple[str, float]]:
        """Find every file: its place, and when it came."""
        with faults.told():
            for path in self._folder.rglob("*"):
                with suppress(FileNotFoundError):  # it has just been removed
                    found = path.lstat()
                    if not stat.S_ISDIR(found.st_mode):
                        yield str(path.relative_to(self._folder)), found.st_mtime


def make_private(folder: Path) -> None:
    """Make a folder, and those above it, for the server's owner alone."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _sync(path: str | Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
