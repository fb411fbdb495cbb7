"""Which files are just being put to their place: where the next start finds what a crash has left of them.

A file that came in one piece is never a draft on the disk. Its hash is noted here first, in a file of this process's
own.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from wheelgate.files import errors as faults
from wheelgate.files.local import make_private

HASH = re.compile("^([0-9a-f]{64})$", re.MULTILINE)
LONGEST = 65_000
"""Bytes until what is settled by now is left out."""


class Placing:
    """The notes of this process."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is made there before it is needed."""
        self._folder = folder
        self._lock = threading.Lock()
        self._open: dict[str, int] = {}
        self._path = ""
        self._descriptor = -1
        self._length = 0

    def note(self, sha256: str) -> None:
        """Note a file that is about to be placed.

        Raises:
            BackendUnavailable: the disk fails; ``StorageFull``: it is full.
        """
        with self._lock, faults.told():
            if self._length > LONGEST or self._descriptor < 0:
                self._begin()
            self._write([sha256])
            self._open[sha256] = self._open.get(sha256, 0) + 1

    def settle(self, sha256: str) -> None:
        """Forget about a file: it is recorded, or gone."""
        with self._lock:
            self._open[sha256] -= 1
            if not self._open[sha256]:
                del self._open[sha256]
            if not self._open and self._length:
                with suppress(OSError):  # what stands there too long is looked at once more at the next start
                    os.ftruncate(self._descriptor, 0)
                    self._length = 0

    def leftovers(self) -> Iterator[tuple[Path, list[str]]]:
        """Find the notes of processes that are gone, each with the hashes in it; what a crash has cut is left out."""
        with suppress(FileNotFoundError):
            for path in self._folder.iterdir():
                yield path, HASH.findall(path.read_text("ascii", "replace"))

    def close(self) -> None:
        """End: if nothing is open, no notes are left."""
        with self._lock:
            path, kept = self._path, bool(self._open)
            self._end()
            if path and not kept:
                with suppress(OSError):
                    os.unlink(path)  # noqa: PTH108

    def _begin(self) -> None:
        """Write all that is open into a new file, and remove the one before."""
        before = self._path
        self._end()
        make_private(self._folder)
        self._path = f"{self._folder}/{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o600)
        self._write(self._open)
        if before:
            os.unlink(before)  # noqa: PTH108

    def _write(self, hashes: Iterable[str]) -> None:
        lines = "".join(f"{sha256}\n" for sha256 in hashes).encode()
        written = os.write(self._descriptor, lines) if lines else 0
        self._length += written
        if written < len(lines):
            raise OSError(errno.ENOSPC, "the notes were cut")

    def _end(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._length, self._path = -1, 0, ""
