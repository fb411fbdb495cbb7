"""Checks a finished backup against its manifest, without writing anything."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from wheelgate.backups.manifest import (
    DATABASE_NAMES,
    FILES_FOLDER,
    SECRET_NAME,
    Manifest,
    hash_file,
    read_manifest,
    read_sums,
)
from wheelgate.errors import StartupError
from wheelgate.packages import StoredFile


@dataclass(frozen=True, slots=True)
class VerifiedBackup:
    """A backup whose files were all read and compared with their hashes."""

    folder: Path
    manifest: Manifest
    files: list[StoredFile]
    """The package files that are intact."""
    problems: list[str]
    """A sentence about each file that is missing or damaged; database and secret first."""

    @property
    def database(self) -> Path:
        """The copy of the database."""
        return self.folder / DATABASE_NAMES[self.manifest.database]

    @property
    def secret(self) -> Path:
        """The secret of the server."""
        return self.folder / SECRET_NAME

    @property
    def store(self) -> Path:
        """The folder of the package files."""
        return self.folder / FILES_FOLDER


def verify(folder: Path) -> VerifiedBackup:
    """Read a whole backup.

    Raises:
        StartupError: there is no finished backup, or its manifest, database or secret is damaged.
    """
    manifest = read_manifest(folder)
    needed = {DATABASE_NAMES[manifest.database], SECRET_NAME}
    files: list[StoredFile] = []
    problems: list[str] = []
    for name, sha256 in read_sums(folder, manifest):
        problem = find_problem(folder / name, sha256)
        if name in needed:
            needed.discard(name)
            if problem:
                raise StartupError(f"{folder / name} {problem}; restore another backup")
        elif problem:
            problems.append(f"{name} {problem}")
        else:
            files.append(StoredFile(sha256, (folder / name).stat().st_size))
    if needed or len(files) + len(problems) != manifest.files:
        raise StartupError(
            f"{folder} is incomplete: its manifest and its list of hashes differ; restore another backup"
        )
    return VerifiedBackup(folder, manifest, files, problems)


def find_problem(path: Path, sha256: str) -> str:
    """Return what is wrong with a file of a backup; empty if it is intact."""
    try:
        return "" if hash_file(path) == sha256 else "is damaged"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({os.strerror(error.errno or 0)})"
