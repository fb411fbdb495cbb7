"""What a backup contains: ``manifest.json``, and ``SHA256SUMS`` in the form that ``sha256sum --check`` reads."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from wheelgate.errors import StartupError
from wheelgate.files.backends import READ_BUFFER_BYTES, path_in_store

MANIFEST_NAME = "manifest.json"
"""The file that makes a backup a finished one."""
SUMS_NAME = "SHA256SUMS"
SECRET_NAME = "secret"  # noqa: S105 - the name of a file
DATABASE_NAMES = {"sqlite": "wheelgate.db", "postgresql": "wheelgate.dump"}
"""The file with the copy of the database, by the kind of the database."""
FILES_FOLDER = "files/sha256"
FORMAT = 1
"""The version of this form; a later one may not be readable."""
MAX_MANIFEST_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of a finished backup."""

    server: str
    """The identity of the server: 32 hexadecimal digits."""
    version: str
    """The version of wheelgate that made the backup."""
    began: str
    """When the backup began (RFC 3339, UTC). Every change that was acknowledged before that is in it."""
    database: str
    """``sqlite`` or ``postgresql``."""
    schema: str
    """The schema of the tables in PostgreSQL; empty for SQLite."""
    files: int
    """The number of package files."""
    sums: str
    """The sha256 of ``SHA256SUMS``."""
    lost: list[str]
    """The sha256 of package files that the server itself no longer had, or had damaged."""

    def to_json(self) -> bytes:
        """Return the content of ``manifest.json``."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2).encode() + b"\n"


def is_finished(folder: Path) -> bool:
    """Return whether a folder has a finished backup."""
    return (folder / MANIFEST_NAME).is_file()


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a finished backup.

    Raises:
        StartupError: the folder has no finished backup, or one that this version cannot read.
    """
    path = folder / MANIFEST_NAME
    try:
        with path.open("rb") as file:
            content = file.read(MAX_MANIFEST_BYTES)
    except FileNotFoundError:
        raise StartupError(f"{folder} has no finished backup: there is no {MANIFEST_NAME} in it") from None
    except OSError as error:
        raise StartupError(f"cannot read {path}: {error.strerror}") from None
    try:
        found: dict[str, Any] = json.loads(content)
        form = found.pop("format")
        if form != FORMAT:
            raise StartupError(f"{path} has the format {form!r}, which this version cannot read; use a newer version")
        return _checked(Manifest(**{field.name: found[field.name] for field in fields(Manifest)}))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StartupError(f"{path} is damaged; restore another backup") from None


def _checked(manifest: Manifest) -> Manifest:
    """Return a manifest whose values have their types; raise ``ValueError`` for another."""
    texts = (manifest.server, manifest.version, manifest.began, manifest.schema, manifest.sums, *manifest.lost)
    if (
        manifest.database not in DATABASE_NAMES
        or not all(isinstance(text, str) for text in texts)
        or type(manifest.files) is not int
    ):
        raise ValueError
    return manifest


def write_sums(path: Path, hashes: Mapping[str, str]) -> None:
    """Write the hash of each file of a backup, by its path in the folder."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{sha256}  {name}\n" for name, sha256 in hashes.items())


def read_sums(folder: Path, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield path and hash of each file of a backup: the database, the secret, and the package files.

    Raises:
        StartupError: the list is damaged, or names another file. Nothing outside of the folder is ever named.
    """
    path = folder / SUMS_NAME
    damaged = StartupError(f"{path} is damaged; restore another backup")
    try:
        if hash_file(path) != manifest.sums:
            raise damaged
        with path.open(encoding="utf-8") as file:
            for line in file:
                if not (found := re.fullmatch(r"([0-9a-f]{64})  (\S+)\n", line)):
                    raise damaged
                sha256, name = found.groups()
                if name not in (DATABASE_NAMES[manifest.database], SECRET_NAME, file_name(sha256)):
                    raise damaged
                yield name, sha256
    except OSError as error:
        raise StartupError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise damaged from None


def file_name(sha256: str) -> str:
    """Return the path of a package file in a backup."""
    return f"{FILES_FOLDER}/{path_in_store(sha256)}"


def hash_file(path: Path) -> str:
    """Return the sha256 of a file."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(READ_BUFFER_BYTES):
            hasher.update(chunk)
    return hasher.hexdigest()
