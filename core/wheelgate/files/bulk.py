"""Stores the many files of an import, while no server runs: copied or linked, and durable a batch at a time."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from wheelgate.disk import create_private_file, make_private_folder, sync, write_all
from wheelgate.files.backends import FileBackend, path_in_store
from wheelgate.files.errors import translated
from wheelgate.packages import ReceivedFile, StoredFile

COPIED_CHUNK_BYTES = 1 << 20
"""Bytes of a file that are copied at once."""
BATCH_FILES = 500
"""Files that are made durable together: the file system writes its journal once for many of them."""
SYNC_THREADS = 8
UNLINKABLE = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOENT, errno.EOPNOTSUPP, errno.EACCES)
"""Why a file cannot be linked: it is on another file system, for example. It is copied then."""


class ChangedFileError(Exception):
    """Raised when a file is no longer the one that was checked before."""


class BulkStore(Protocol):
    """A storage that takes many files; :meth:`finish` makes the last of them durable."""

    def add(self, descriptor: int, stored: StoredFile) -> None:
        """Store the content of an open file, unless the storage has it.

        Raises:
            ChangedFileError: its hash is another.
            StorageFull: no space is left.
            BackendUnavailable: the disk or the object store fails.
        """

    def finish(self) -> None:
        """Wait until all files are durable. Raise as :meth:`add` does."""


class LocalBulkStore:
    """The folder ``files/sha256``. A killed import leaves only whole files in it, or files that it checks again."""

    def __init__(self, folder: Path, *, links: bool) -> None:
        """Take the folder; ``links`` says whether to link files instead of copying them, where that is possible."""
        self._folder = folder
        self._drafts = folder.with_name("drafts")
        self._links = links
        self._unsynced: list[str] = []

    def add(self, descriptor: int, stored: StoredFile) -> None:
        """Store a file; see :class:`BulkStore`."""
        path = self._folder / path_in_store(stored.sha256)
        with translated():
            if self._has(path, stored):
                return
            make_private_folder(path.parent)
            make_private_folder(self._drafts)
            draft = self._drafts / f"{stored.sha256}.{secrets.token_hex(8)}"
            try:
                if not (self._links and self._link(descriptor, draft, stored)):
                    self._copy(descriptor, draft, stored)
                draft.rename(path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise
            self._unsynced.append(str(path))
            if len(self._unsynced) >= BATCH_FILES:
                self.finish()

    def finish(self) -> None:
        """Wait until all files are on the disk."""
        files, self._unsynced = self._unsynced, []
        folders = sorted({str(Path(path).parent) for path in files})
        with translated(), ThreadPoolExecutor(SYNC_THREADS) as threads:
            for paths in (files, folders, [str(self._folder)] if folders else []):
                list(threads.map(sync, paths))

    def _has(self, path: Path, stored: StoredFile) -> bool:
        """Return whether the file is there and whole; an import that was killed may have left a part of one."""
        try:
            if path.stat().st_size != stored.size:
                return False
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != stored.sha256:
                    return False
        except FileNotFoundError:
            return False
        self._unsynced.append(str(path))
        return True

    def _link(self, descriptor: int, draft: Path, stored: StoredFile) -> bool:
        """Link the open file itself, not whatever has its name now; False if that is not possible."""
        with suppress(NotImplementedError, ValueError):
            try:
                os.link(f"/proc/self/fd/{descriptor}", draft, src_dir_fd=descriptor, follow_symlinks=True)
            except OSError as error:
                if error.errno in UNLINKABLE:
                    return False
                raise
            _check_digest(_hashed_chunks(descriptor, None), stored)
            return True
        return False

    def _copy(self, descriptor: int, draft: Path, stored: StoredFile) -> None:
        target = create_private_file(draft)
        try:
            digest = _hashed_chunks(descriptor, target)
        finally:
            os.close(target)
        _check_digest(digest, stored)


class BackendBulkStore:
    """Any other storage, such as a bucket: each file is durable when it was stored."""

    def __init__(self, backend: FileBackend) -> None:
        self._backend = backend

    def add(self, descriptor: int, stored: StoredFile) -> None:
        """Store a file; see :class:`BulkStore`."""
        if self._backend.size(stored.sha256) == stored.size:
            return
        with translated():
            _check_digest(_hashed_chunks(descriptor, None), stored)
            small = stored.size <= COPIED_CHUNK_BYTES
            content = os.pread(descriptor, stored.size, 0) if small else None
        received = ReceivedFile("" if small else f"/dev/fd/{descriptor}", stored, {"sha256": stored.sha256}, content)
        self._backend.put(received)
        self._backend.sync(received)

    def finish(self) -> None:
        """Do nothing: :meth:`add` has waited for each file."""


def _hashed_chunks(descriptor: int, target: int | None) -> str:
    """Read an open file from its beginning, write it to another one if there is one, and return its SHA-256."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    digest = hashlib.sha256()
    while chunk := os.read(descriptor, COPIED_CHUNK_BYTES):
        digest.update(chunk)
        if target is not None:
            write_all(target, chunk)
    return digest.hexdigest()


def _check_digest(digest: str, stored: StoredFile) -> None:
    if digest != stored.sha256:
        raise ChangedFileError
