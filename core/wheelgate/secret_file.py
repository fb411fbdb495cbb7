"""The file with the secret of a server, from which all its keys are derived, and files of other secrets."""

from __future__ import annotations

import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from wheelgate.disk import create_private_file, sync, sync_and_close, write_all
from wheelgate.errors import StartupError

MIN_SECRET_BYTES = 32
MIN_DIFFERENT_SECRET_BYTES = 12
"""How many different bytes a secret must have; a repeated word has few."""


def make_secret(path: Path, *, given: bool) -> None:
    """Create the secret file if it is missing, and check it.

    Args:
        path: the file.
        given: whether the settings name it, so that a weak secret is not to be removed.

    Raises:
        StartupError: the file cannot be read, is too weak, or can be read by other users of the machine.
    """
    try:
        if not path.exists():
            # Not the process ID: in a container the next start has the same, and would find what a killed one left.
            draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
            descriptor = create_private_file(draft)
            try:
                write_all(descriptor, secrets.token_urlsafe(48).encode())
            finally:
                sync_and_close(descriptor)
            draft.rename(path)
            sync(path.parent)
    except OSError as error:
        raise unusable(path, error) from None
    read_secret(path, given=given)


def read_secret(path: Path, *, given: bool) -> bytes:
    """Return the secret; see :func:`make_secret` for arguments and exceptions."""
    try:
        secret = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise unusable(path, error) from None
    if len(secret) < MIN_SECRET_BYTES or len(set(secret)) < MIN_DIFFERENT_SECRET_BYTES:
        hint = "write 48 random characters into it" if given else "remove it; all logins then end"
        raise StartupError(f"the secret in {path} is too weak: {hint}")
    if mode & 0o077:
        raise StartupError(f"others can read the secret file {path}; run: chmod 600 {path}")
    return secret


def exposed_files(files: Mapping[str, Path]) -> Iterator[str]:
    """Yield a warning for each file of a secret that every user of the machine can read.

    The start goes on: the file may be in a container, where there are no other users.

    Args:
        files: the files by the places of the settings that name them.
    """
    for place, path in files.items():
        with suppress(OSError):  # a secret may be read from a pipe that is gone
            if readable_by_all(path.resolve()):
                yield f"{place}: every user of this machine can read the secret in {path}; run: chmod o-r {path}"


def readable_by_all(path: Path) -> bool:
    """Say whether every user of the machine can read a file, by its permissions and those of all folders above."""
    folders = all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)
    return folders and bool(path.stat().st_mode & stat.S_IROTH)


def unusable(path: Path, error: OSError) -> StartupError:
    """Return the error for a secret file that cannot be read or written."""
    return StartupError(f"cannot use the secret file {path}: {error.strerror}")
