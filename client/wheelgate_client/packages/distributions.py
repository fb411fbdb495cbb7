"""Wheels, sdists and documentation archives on the disk, and what they say about themselves."""

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

from wheelgate_client.errors import ClientError
from wheelgate_client.packages import requirements as specs

DOCUMENTATION = ".doc.zip"
WHEEL = ".whl"
SDISTS = (".tar.gz", ".tgz", ".tar.bz2", ".zip")
METADATA_LIMIT = 16 * 1024 * 1024
"""Bytes; an archive may claim any size."""
FIELDS = {
    "platforms": "platform",
    "supported_platforms": "supported_platform",
    "provides_extra": "provides_extras",
    "license_files": "license_file",
}
"""What the upload form calls otherwise than :mod:`packaging.metadata` does."""

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """A file to upload."""

    path: Path
    action: str
    """``file_upload`` or ``doc_upload``."""
    name: str
    version: str
    fields: Fields
    """The core metadata and the kind of the file, as the upload form has them."""


def is_documentation(path: Path) -> bool:
    """Tell an archive of documentation from one that is installed."""
    return path.name.endswith(DOCUMENTATION)


def found_in(folder: Path) -> list[Path]:
    """Return the archives in a folder and the folders in it, in the order of their names."""
    wanted = (WHEEL, *SDISTS)  # .doc.zip ends with .zip
    return sorted(path for path in folder.rglob("*") if path.name.endswith(wanted) and path.is_file())


def newest(found: Iterable[Distribution]) -> list[Distribution]:
    """Leave out the files of every version for which there is a newer one."""
    files = list(found)
    latest: dict[str, tuple[Version, str]] = {}
    for file in files:
        name, age = canonicalize_name(file.name), specs.age(file.version)
        latest[name] = max(latest.get(name, age), age)
    return [file for file in files if specs.age(file.version) == latest[canonicalize_name(file.name)]]


def read(path: Path) -> Distribution:
    """Return what a file says about itself.

    Raises:
        ClientError: if it is no distribution, or cannot be read.
    """
    try:
        if is_documentation(path):
            return _documentation(path)
        if path.name.endswith(WHEEL):
            return _distribution(path, _from_wheel(path), ("bdist_wheel", _python_tag(path)))
        if path.name.endswith(SDISTS):
            text = _from_zip(path, r"[^/]+/PKG-INFO") if path.suffix == ".zip" else _from_tar(path)
            return _distribution(path, text, ("sdist", "source"))
    except OSError as error:
        raise ClientError(f"cannot read {path}: {error.strerror or error}") from None
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ClientError(f"{path} is damaged: {error}; build it anew") from None
    raise ClientError(
        f"{path} is no release file: give a wheel (.whl), an sdist (.tar.gz) or documentation (NAME-VERSION.doc.zip)"
    )


def _documentation(path: Path) -> Distribution:
    match = re.fullmatch(r"(.+)-(\d[^-]*)", path.name.removesuffix(DOCUMENTATION))
    if match is None or not zipfile.is_zipfile(path):
        raise ClientError(f"{path} is no documentation: that is a zip file with the name NAME-VERSION.doc.zip")
    name, version = match.groups()
    return Distribution(path, "doc_upload", name, version, (("name", name), ("version", version)))


def _distribution(path: Path, text: bytes | None, kind: tuple[str, str]) -> Distribution:
    if text is None:
        raise ClientError(f"{path} holds no metadata of a package: build it with 'python -m build' or a tool like it")
    if len(text) > METADATA_LIMIT:
        raise ClientError(f"{path} holds more than {METADATA_LIMIT} bytes of metadata")
    raw, _ = parse_email(text)
    name, version = raw.get("name"), raw.get("version")
    if not name or not version:
        raise ClientError(f"{path} does not say name and version in its metadata: build it anew")
    fields = (*_fields(dict(raw)), ("filetype", kind[0]), ("pyversion", kind[1]))
    return Distribution(path, "file_upload", name, version, fields)


def _fields(raw: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in raw.items():
        field = FIELDS.get(key, key)
        if key == "keywords":
            yield field, ",".join(value)
        elif isinstance(value, dict):
            yield from ((field, f"{label}, {url}") for label, url in value.items())
        elif isinstance(value, list):
            yield from ((field, item) for item in value)
        else:
            yield field, value


def _from_wheel(path: Path) -> bytes | None:
    return _from_zip(path, r"[^/]+\.dist-info/METADATA")


def _from_zip(path: Path, pattern: str) -> bytes | None:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if re.fullmatch(pattern, name):
                with archive.open(name) as member:
                    return member.read(METADATA_LIMIT + 1)
    return None


def _from_tar(path: Path) -> bytes | None:
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and re.fullmatch(r"(\./)?[^/]+/PKG-INFO", member.name):
                file = archive.extractfile(member)
                return file.read(METADATA_LIMIT + 1) if file else None
    return None


def _python_tag(path: Path) -> str:
    try:
        tags = parse_wheel_filename(path.name)[3]
    except InvalidWheelFilename as error:
        raise ClientError(f"{path}: {error}; a wheel keeps the name that it was built with") from None
    return ".".join(sorted({tag.interpreter for tag in tags}))
