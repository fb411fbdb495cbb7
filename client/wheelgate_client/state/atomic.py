"""Files that other processes may read or replace at any moment: a lock, and replacement in one step."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import py

from wheelgate_client.errors import StateError, reason

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


def local(path: str | os.PathLike[str]) -> py.path.local:
    """Return the path, absolute; ``~`` is the home directory."""
    return py.path.local(path, expanduser=True)  # noqa: PTH124 - the client's files are handled by py.path throughout


@contextmanager
def locked(directory: py.path.local) -> Iterator[None]:
    """Hold the lock of ``directory``, which is made if need be: of two clients, one waits for the other.

    Raises:
        StateError: if the lock cannot be had, or somebody keeps it for ten seconds.
    """
    path = directory.join(".lock")
    try:
        _ensure_private(directory)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    except OSError as error:
        raise StateError(f"cannot write in {directory}: {reason(error)}; nothing was changed") from None
    try:
        _wait_for(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, path: py.path.local) -> None:
    for _ in range(100):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.1)
    raise StateError(f"another client keeps {path} locked; nothing was changed, try again once it is done")


def _ensure_private(directory: py.path.local) -> None:
    for part in directory.parts():
        if not part.exists():
            with suppress(FileExistsError):
                os.mkdir(part, PRIVATE_DIRECTORY)  # noqa: PTH102 - py.path makes directories by the umask only


def replace(path: py.path.local, data: bytes, mode: int) -> None:
    """Replace the file in one step: a reader, or the next start after a crash, finds the old or the new, whole.

    A symbolic link stays one; what it points to is replaced. The owner stays the same as far as rights allow.

    Raises:
        OSError: if that cannot be done; the file is then what it was.
    """
    target = path.realpath()
    with tempfile.NamedTemporaryFile(dir=target.dirname, prefix=f".{target.basename}.", delete=False) as file:
        temporary = local(file.name)
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
    _sync(target.dirpath())


def _sync(directory: py.path.local) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
