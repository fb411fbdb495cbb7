"""Files and folders for the server's owner only, and waiting until they are on the disk."""

from __future__ import annotations

import os
from pathlib import Path


def make_private_folder(folder: Path) -> None:
    """Create a folder and its missing parents, readable by the server's owner only."""
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def create_private_file(path: str | Path) -> int:
    """Create a file that does not exist yet, readable by the server's owner only; return its descriptor."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all bytes to a file; one system call may write fewer."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync(path: str | Path) -> None:
    """Wait until the content of a file, or the names in a folder, are on the disk."""
    sync_and_close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))


def sync_and_close(descriptor: int) -> None:
    """Wait until the content of an open file is on the disk, and close it."""
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
