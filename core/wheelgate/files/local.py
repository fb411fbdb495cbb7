"""Stored files in a folder: ``files/sha256/ab/cdef…``."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Hashable, Iterator
from contextlib import suppress
from pathlib import Path

from wheelgate.files import errors as faults
from wheelgate.files.backends import place
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
        self._written: dict[str, int] = {}
        """Files that were written and wait for the disk, by their hash."""

    def put(self, draft: DraftFile) -> None:
        """Give the draft its place. A file that is there is replaced: it may have been damaged since."""
        put = self._link if draft.path else self._write
        path = self._prefix + place(draft.stored.sha256)
        with faults.told():
            try:
                put(draft, path)
            except FileNotFoundError:
                make_private(Path(path).parent)
                for folder in (self._folder, *self._folder.parents[:2]):  # each has the name of the one before
                    _sync(folder)
                put(draft, path)
            except FileExistsError:
                aside = self._folder.with_name("drafts") / f"{draft.stored.sha256}.{secrets.token_hex(8)}"
                make_private(aside.parent)
                put(draft, str(aside))
                _sync(aside)  # others need what it takes the place of, and so must it be on the disk before
                aside.rename(path)
                aside.unlink(missing_ok=True)  # rename does nothing if both names are those of one file

    def secure(self, draft: DraftFile) -> None:
        """Wait until a file that was given its place is on the disk, and its name too."""
        sha256 = draft.stored.sha256
        written = self._written.pop(sha256, -1)
        with faults.told():
            if written >= 0:
                _sync_and_close(written)
            else:
                _sync(self._prefix + place(sha256))
            _sync(self._prefix + place(sha256).partition("/")[0])

    def _link(self, draft: DraftFile, path: str) -> None:
        os.link(draft.path, path)

    def _write(self, draft: DraftFile, path: str) -> None:
        """Write what is in memory; it stays open until it is on the disk, for that takes less than to open it again."""
        descriptor = create(path)
        try:
            write_all(descriptor, draft.content or b"")
        except OSError:
            os.close(descriptor)
            os.unlink(path)  # noqa: PTH108
            raise
        if (before := self._written.pop(draft.stored.sha256, -1)) >= 0:
            os.close(before)
        self._written[draft.stored.sha256] = descriptor

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


def create(path: str | Path) -> int:
    """Make a file that is not there yet, readable by the server's owner only; return its descriptor."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def write_all(descriptor: int, content: bytes) -> None:
    """Write to a file, which may take less than it is given at once."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync(path: str | Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    _sync_and_close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))


def _sync_and_close(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
