"""The journal of files that are being stored, so that the next start finds what a crash leaves behind.

A file that was received in one piece is never on the disk as an incoming file. Its hash is written to the journal
before the file is written to its final path. Each process has a journal of its own.
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

from wheelgate.disk import make_private_folder
from wheelgate.files.errors import translated

SHA256_LINE = re.compile("^([0-9a-f]{64})$", re.MULTILINE)
MAX_JOURNAL_BYTES = 65_000
"""Bytes after which the journal is rewritten with the open entries only."""


class CommitJournal:
    """The journal of this process."""

    def __init__(self, folder: Path) -> None:
        """Make a journal in a folder; nothing is written before the first entry."""
        self._folder = folder
        self._lock = threading.Lock()
        self._open: dict[str, int] = {}
        """The number of unfinished commits of each hash."""
        self._path = ""
        self._descriptor = -1
        self._length = 0

    def begin(self, sha256: str) -> None:
        """Write an entry for a file that is about to be stored.

        Raises:
            StorageFull: the disk is full.
            BackendUnavailable: the disk fails.
        """
        with self._lock, translated():
            if self._length > MAX_JOURNAL_BYTES or self._descriptor < 0:
                self._rewrite()
            self._append([sha256])
            self._open[sha256] = self._open.get(sha256, 0) + 1

    def end(self, sha256: str) -> None:
        """Remove an entry: the file is recorded, or removed."""
        with self._lock:
            self._open[sha256] -= 1
            if not self._open[sha256]:
                del self._open[sha256]
            if not self._open and self._length:
                with suppress(OSError):  # an entry that stays too long costs the next start one more look
                    os.ftruncate(self._descriptor, 0)
                    self._length = 0

    def leftovers(self) -> Iterator[tuple[Path, list[str]]]:
        """Return the journals of processes that have ended, each with its hashes; an incomplete line does not count."""
        with suppress(FileNotFoundError):
            for path in self._folder.iterdir():
                yield path, SHA256_LINE.findall(path.read_text("ascii", "replace"))

    def close(self) -> None:
        """Close the journal, and remove it unless it has open entries."""
        with self._lock:
            path, unfinished = self._path, bool(self._open)
            self._close_file()
            if path and not unfinished:
                with suppress(OSError):
                    os.unlink(path)  # noqa: PTH108

    def _rewrite(self) -> None:
        """Write the open entries to a new file, and remove the old one."""
        before = self._path
        self._close_file()
        make_private_folder(self._folder)
        self._path = f"{self._folder}/{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o600)
        self._append(self._open)
        if before:
            os.unlink(before)  # noqa: PTH108

    def _append(self, hashes: Iterable[str]) -> None:
        lines = "".join(f"{sha256}\n" for sha256 in hashes).encode()
        written = os.write(self._descriptor, lines) if lines else 0
        self._length += written
        if written < len(lines):
            raise OSError(errno.ENOSPC, "the journal is cut off")

    def _close_file(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._length, self._path = -1, 0, ""
