"""Files that other processes may read or replace at any moment: a lock, and replacement in one step."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import py

from wheelgate_client.errors import StateError, os_reason

PRIVATE_FILE_MODE = 0o600
PRIVATE_DIRECTORY_MODE = 0o700
LOCK_ATTEMPTS = 100
LOCK_RETRY_SECONDS = 0.1


def expanded_path(path: str | os.PathLike[str]) -> py.path.local:
    """Return the absolute path; ``~`` is the home directory."""
    return py.path.local(path, expanduser=True)  # noqa: PTH124 - the client handles its files with py.path throughout


@contextmanager
def lock_directory(directory: py.path.local) -> Iterator[None]:
    """Hold the lock of ``directory``, which is created if needed; another client waits until the block ends.

    Raises:
        StateError: if the lock file cannot be written, or another client holds the lock for ten seconds.
    """
    path = directory.join(".lock")
    try:
        _ensure_private(directory)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE_MODE)
    except OSError as error:
        raise StateError(f"cannot write in {directory}: {os_reason(error)}; nothing was changed") from None
    try:
        _wait_for_lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int, path: py.path.local) -> None:
    for _ in range(LOCK_ATTEMPTS):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(LOCK_RETRY_SECONDS)
    raise StateError(f"another client keeps {path} locked; nothing was changed, try again once it is done")


def _ensure_private(directory: py.path.local) -> None:
    for part in directory.parts():
        if not part.exists():
            with suppress(FileExistsError):
                os.mkdir(part, PRIVATE_DIRECTORY_MODE)  # noqa: PTH102 - py.path makes directories by the umask only


def replace_file(path: py.path.local, data: bytes, mode: int) -> None:
    """Replace the file in one step: readers, also after a crash, find the old or the new content, complete.

    A symbolic link stays one; its target is replaced. The owner stays the same as far as rights allow.

    Raises:
        OSError: if that fails; the file is then unchanged.
    """
    target = path.realpath()
    with tempfile.NamedTemporaryFile(dir=target.dirname, prefix=f".{target.basename}.", delete=False) as file:
        temporary = expanded_path(file.name)
        try:
            file.write(data)
            file.flush()
            with suppress(py.error.ENOENT, PermissionError):
                owner = target.stat()
                os.fchown(file.fileno(), owner.uid, owner.gid)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
            temporary.rename(target)
        except BaseException:
            temporary.remove(ignore_errors=True)
            raise
    _sync_directory(target.dirpath())


def _sync_directory(directory: py.path.local) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
