"""Opens the files of an export, which may be hostile: nothing outside of its folder is ever opened."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wheelgate.moving.findings import FaultError

READ_CHUNK_BYTES = 1 << 20
"""Bytes of a file that are read at once."""
MAX_PATH_CHARS = 4000
"""Characters of a path below the folder; what Linux takes, less the folder's own."""
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Without waiting: to open a pipe would wait for its writer."""


class ExportFolder:
    """The folder of an export. Its path may contain symbolic links; below it, none is followed."""

    def __init__(self, path: Path) -> None:
        """Open the folder.

        Raises:
            FaultError: it cannot be opened.
        """
        self.path = path
        self._folders: dict[str, int] = {}
        """The descriptor of the folder that was used last, by its path below the export."""
        try:
            self._top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise FaultError(f"the folder {path} cannot be opened: {error.strerror}") from None

    def close(self) -> None:
        """Close the folder."""
        self._forget()
        os.close(self._top)

    def has(self, relpath: str) -> bool:
        """Return whether there is anything at a path below the folder, which has no folders in it."""
        try:
            os.stat(relpath, dir_fd=self._top, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def open(self, relpath: str) -> Iterator[int]:
        """Open a regular file at a path below the folder, and close its descriptor at the end.

        Raises:
            FaultError: the path leads out of the folder or over a symbolic link, or there is no regular file.
        """
        shown = ascii(relpath[:200])
        parts = relpath.split("/")
        if relpath.startswith("/") or any(part in ("", ".", "..") for part in parts) or "\0" in relpath:
            raise FaultError(f"the path {shown} leads out of the export, or is not in its normal form")
        if len(relpath) > MAX_PATH_CHARS:
            raise FaultError(f"the path {shown} is too long")
        try:
            descriptor = os.open(parts[-1], FILE_FLAGS, dir_fd=self._folder("/".join(parts[:-1])))
        except UnicodeEncodeError:
            raise FaultError(f"the path {shown} is not valid text") from None
        except OSError as error:
            raise FaultError(f"the file {shown} cannot be opened: {_reason(error)}") from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FaultError(f"{shown} is no regular file")
            yield descriptor
        finally:
            os.close(descriptor)

    def _folder(self, relpath: str) -> int:
        """Return the descriptor of a folder; the files of a release come one after the other."""
        if not relpath:
            return self._top
        known = self._folders.get(relpath)
        if known is not None:
            return known
        descriptor = os.dup(self._top)
        try:
            for part in relpath.split("/"):
                below = os.open(part, FOLDER_FLAGS, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
        except BaseException:
            os.close(descriptor)
            raise
        self._forget()
        self._folders[relpath] = descriptor
        return descriptor

    def _forget(self) -> None:
        for descriptor in self._folders.values():
            os.close(descriptor)
        self._folders.clear()


def read_chunks(descriptor: int) -> Iterator[bytes]:
    """Yield the content of an open file from its beginning."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    while chunk := os.read(descriptor, READ_CHUNK_BYTES):
        yield chunk


def _reason(error: OSError) -> str:
    """Say why a file cannot be opened."""
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
        return "it, or a folder above it, is a symbolic link or no folder"
    return error.strerror or "unknown error"
