"""The folder of a backup: begun or gone on with, never written to once it is finished."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from wheelgate.backups.manifest import (
    DATABASE_NAMES,
    FILES_FOLDER,
    MANIFEST_NAME,
    SECRET_NAME,
    SUMS_NAME,
    Manifest,
    hash_file,
    is_finished,
    read_manifest,
    write_sums,
)
from wheelgate.disk import create_private_file, sync, sync_and_close, write_all
from wheelgate.errors import StartupError

UNFINISHED_NAME = "unfinished"
"""The file that marks the folder of a backup until the backup is finished; it then becomes the manifest."""
DRAFTS_NAME = "drafts"
"""The folder of files that are being copied."""
PRIVATE_MODE = 0o700


class BackupFolder:
    """The folder of a backup that is being made; it belongs to one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = path / FILES_FOLDER
        self.drafts = path / DRAFTS_NAME
        self.secret = path / SECRET_NAME

    def database(self, kind: str) -> Path:
        """Return the path of the database's copy."""
        return self.path / DATABASE_NAMES[kind]

    def begin(self) -> None:
        """Make the folder, or clean up what an interrupted run has left besides complete package files.

        Raises:
            StartupError: the folder has a finished backup, or something else.
        """
        if is_finished(self.path):
            raise StartupError(
                f"{self.path} has a finished backup, which is never written to; name a folder that does not exist yet"
            )
        names = {entry.name for entry in self.path.iterdir()} - {"lost+found"}
        if names and UNFINISHED_NAME not in names:
            raise StartupError(
                f"{self.path} is not empty and has no backup; name an empty folder, or one that does not exist yet"
            )
        self.path.chmod(PRIVATE_MODE)
        if not names:
            os.close(create_private_file(self.path / UNFINISHED_NAME))
        shutil.rmtree(self.drafts, ignore_errors=True)
        for name in (*DATABASE_NAMES.values(), SECRET_NAME, SUMS_NAME):
            for path in self.path.glob(f"{name}*"):
                path.unlink()

    def write_secret(self, secret: bytes) -> None:
        """Write the secret of the server."""
        descriptor = create_private_file(self.secret)
        try:
            write_all(descriptor, secret)
        finally:
            sync_and_close(descriptor)

    def write_hashes(self, kind: str, files: Mapping[str, str]) -> str:
        """Write the list of all hashes, and return its own.

        Args:
            kind: the kind of the database.
            files: the hashes of package files by their paths in the folder.
        """
        database = self.database(kind)
        parts = {path.name: hash_file(path) for path in (database, self.secret)}
        sums = self.path / SUMS_NAME
        os.close(create_private_file(sums))
        write_sums(sums, {**parts, **files})
        for path in (database, sums):
            sync(path)
        return hash_file(sums)

    def finish(self, manifest: Manifest) -> None:
        """Make the backup a finished one, by a single step that is on the disk after all others."""
        shutil.rmtree(self.drafts, ignore_errors=True)
        sync(self.path)
        marker = self.path / UNFINISHED_NAME
        with marker.open("wb") as file:
            file.write(manifest.to_json())
            file.flush()
            os.fsync(file.fileno())
        marker.rename(self.path / MANIFEST_NAME)
        sync(self.path)


@contextmanager
def backup_folder(path: Path) -> Iterator[BackupFolder]:
    """Make or open the folder of a backup, and keep other runs away from it.

    Raises:
        StartupError: it cannot be used, another backup is being made there, or it has a finished one.
    """
    try:
        path.mkdir(mode=PRIVATE_MODE, parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StartupError(f"another backup is being made in {path}; wait for it") from None
            folder = BackupFolder(path)
            folder.begin()
            yield folder
        finally:
            os.close(lock)
    except FileExistsError:
        raise StartupError(f"cannot use {path} for a backup: it is not a folder") from None
    except OSError as error:
        raise StartupError(f"cannot write the backup {path}: {error.strerror}; run the command again") from None


def newest_sibling(path: Path, server: str) -> Path | None:
    """Return the newest finished backup of the same server beside a folder; None if there is none.

    Backups that others could have changed do not count.
    """
    found: list[tuple[str, Path]] = []
    for sibling in path.parent.iterdir():
        if sibling == path or sibling.is_symlink() or not is_private(sibling) or not is_finished(sibling):
            continue
        try:
            manifest = read_manifest(sibling)
        except StartupError:
            continue
        if manifest.server == server:
            found.append((manifest.began, sibling))
    return max(found)[1] if found else None


def require_previous(path: Path) -> Path:
    """Return the folder of an earlier backup whose files may be linked.

    Raises:
        StartupError: it has no finished backup, or others can write there.
    """
    read_manifest(path)
    if not is_private(path):
        raise StartupError(f"others can read or write {path}, so its files are not trusted; run: chmod 700 {path}")
    return path


def is_private(path: Path) -> bool:
    """Return whether a folder belongs to this user, and only this user can read and write it."""
    try:
        found = path.stat()
    except OSError:
        return False
    return path.is_dir() and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def remove_others(folder: Path, needed: Collection[str]) -> None:
    """Remove the package files below a folder whose paths are not among the needed ones."""
    for path in list(folder.rglob("*")):
        if not path.is_dir() and str(path.relative_to(folder)) not in needed:
            path.unlink()
