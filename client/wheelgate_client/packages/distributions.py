"""Wheels, sdists and documentation archives on the disk, and their metadata."""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.metadata import parse_email
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from wheelgate_client.errors import ClientError, DamagedFileError
from wheelgate_client.packages import requirements

DOCUMENTATION_SUFFIXES = (".doc.zip", ".docs.zip")
WHEEL_SUFFIX = ".whl"
SDIST_SUFFIXES = (".tar.gz", ".tgz", ".tar.bz2", ".zip")
MAX_METADATA_BYTES = 16 * 1024 * 1024
"""A hostile archive may claim any size."""
_FORM_FIELD_NAMES = {
    "platforms": "platform",
    "supported_platforms": "supported_platform",
    "provides_extra": "provides_extras",
    "license_files": "license_file",
}
"""Names in :mod:`packaging.metadata`, and those in the upload form where they differ."""

FormFields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """A file to upload."""

    path: Path
    action: str
    """``file_upload`` or ``doc_upload``."""
    name: str
    version: str
    """Empty for documentation of the newest version."""
    fields: FormFields
    """The core metadata and the type of the file, as fields of the upload form."""


def is_documentation(path: Path) -> bool:
    """Tell whether the path is an archive of documentation, not one to install."""
    return path.name.endswith(DOCUMENTATION_SUFFIXES)


def find_archives(folder: Path) -> list[Path]:
    """Return the archives in a folder and its subfolders, sorted by path."""
    suffixes = (WHEEL_SUFFIX, *SDIST_SUFFIXES)  # documentation ends with .zip too
    return sorted(path for path in folder.rglob("*") if path.name.endswith(suffixes) and path.is_file())


def keep_newest(found: Iterable[Distribution]) -> list[Distribution]:
    """Return only the files of the newest version of each project, and documentation that names no version."""
    files = list(found)
    latest: dict[str, tuple[Version, str]] = {}
    for file in files:
        if not file.version:
            continue
        name, sort_key = canonicalize_name(file.name), requirements.version_sort_key(file.version)
        latest[name] = max(latest.get(name, sort_key), sort_key)
    return [
        file
        for file in files
        if not file.version or requirements.version_sort_key(file.version) == latest[canonicalize_name(file.name)]
    ]


def read_distribution(path: Path) -> Distribution:
    """Read the metadata of a file.

    Raises:
        DamagedFileError: if it is cut off or broken.
        ClientError: if it is not a distribution, or cannot be read.
    """
    try:
        if is_documentation(path):
            return _documentation(path)
        if path.name.endswith(WHEEL_SUFFIX):
            return _distribution(path, _wheel_metadata(path), ("bdist_wheel", _python_tag(path)))
        if path.name.endswith(SDIST_SUFFIXES):
            text = _read_from_zip(path, r"[^/]+/PKG-INFO") if path.suffix == ".zip" else _read_from_tar(path)
            return _distribution(path, text, ("sdist", "source"))
    except OSError as error:
        raise ClientError(f"cannot read {path}: {error.strerror or error}") from None
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DamagedFileError(f"{path} is damaged: {error}; build it again, or remove it") from None
    raise ClientError(
        f"{path} is not a release file: give a wheel (.whl), an sdist (.tar.gz) or documentation (NAME-VERSION.doc.zip)"
    )


def _documentation(path: Path) -> Distribution:
    match = re.fullmatch(r"([^-].*?)(?:-(\d[^-]*))?\.docs?\.zip", path.name)
    if match is None:
        raise ClientError(f"{path} is not documentation: that has a name like NAME-VERSION.doc.zip or NAME.doc.zip")
    if not zipfile.is_zipfile(path):
        raise DamagedFileError(f"{path} is damaged: it is not a zip file; build it again, or remove it")
    name, version = match[1], match[2] or ""
    # Without a version, the server takes the newest.
    fields = (("name", name), *((("version", version),) if version else ()))
    return Distribution(path, "doc_upload", name, version, fields)


def _distribution(path: Path, text: bytes | None, kind: tuple[str, str]) -> Distribution:
    if text is None:
        raise ClientError(f"{path} contains no package metadata: build it with 'python -m build' or a similar tool")
    if len(text) > MAX_METADATA_BYTES:
        raise ClientError(f"{path} contains more than {MAX_METADATA_BYTES} bytes of metadata")
    raw, _ = parse_email(text)
    name, version = raw.get("name"), raw.get("version")
    if not name or not version:
        raise ClientError(f"{path} does not contain name and version in its metadata: build it again")
    fields = (*_form_fields(dict(raw)), ("filetype", kind[0]), ("pyversion", kind[1]))
    return Distribution(path, "file_upload", name, version, fields)


def _form_fields(raw: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in raw.items():
        field = _FORM_FIELD_NAMES.get(key, key)
        if key == "keywords":
            yield field, ",".join(value)
        elif isinstance(value, dict):
            yield from ((field, f"{label}, {url}") for label, url in value.items())
        elif isinstance(value, list):
            yield from ((field, item) for item in value)
        else:
            yield field, value


def _wheel_metadata(path: Path) -> bytes | None:
    return _read_from_zip(path, r"[^/]+\.dist-info/METADATA")


def _read_from_zip(path: Path, pattern: str) -> bytes | None:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if re.fullmatch(pattern, name):
                with archive.open(name) as member:
                    return member.read(MAX_METADATA_BYTES + 1)
    return None


def _read_from_tar(path: Path) -> bytes | None:
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and re.fullmatch(r"(\./)?[^/]+/PKG-INFO", member.name):
                file = archive.extractfile(member)
                return file.read(MAX_METADATA_BYTES + 1) if file else None
    return None


def _python_tag(path: Path) -> str:
    try:
        tags = parse_wheel_filename(path.name)[3]
    except InvalidWheelFilename as error:
        raise ClientError(f"{path}: {error}; a wheel keeps the name that it was built with") from None
    return ".".join(sorted({tag.interpreter for tag in tags}))
