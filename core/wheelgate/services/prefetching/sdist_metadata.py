"""Reads what an sdist needs: the requirements in its metadata, and those of its build."""

from __future__ import annotations

import io
import tarfile
import tomllib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, cast

from wheelgate.packages import read_core_metadata

MAX_READ_BYTES = 256 << 20
"""Bytes of an unpacked archive that are read."""
MAX_MEMBER_BYTES = 16 << 20
"""The largest of the two files that are read."""
DEFAULT_BUILD_REQUIREMENTS = ("setuptools>=40.8.0", "wheel")
"""Those of a project without ``[build-system]`` (PEP 518)."""
UNREADABLE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True)
class SdistNeeds:
    """What an sdist needs."""

    requires_dist: tuple[str, ...]
    build: tuple[str, ...]
    complete: bool
    """Whether the metadata have all requirements; if not, only a build would say."""


class LimitedReader(io.RawIOBase):
    """A file of which only some bytes can be read, so that no bomb fills the memory."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file = file
        self._left = limit

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return the number of bytes. Raise ``ValueError`` beyond the limit."""
        data = self._file.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise ValueError("the archive is too large to be read")
        buffer[: len(data)] = data
        return len(data)


def read_sdist(name: str, file: BinaryIO) -> SdistNeeds:
    """Return what an sdist needs.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        found = dict(_zip_members(file) if name.endswith(".zip") else _tar_members(file))
        metadata = read_core_metadata(found.get("PKG-INFO", b"")).fields
        project = tomllib.loads(found.get("pyproject.toml", b"").decode("utf-8"))
    except UNREADABLE as error:
        raise ValueError(f"{name} cannot be read: {error}") from None
    build = project.get("build-system", {}).get("requires", DEFAULT_BUILD_REQUIREMENTS)
    requires = tuple(metadata.get("requires-dist", ()))
    dynamic = {value.lower() for value in metadata.get("dynamic", ())}
    version = (metadata.get("metadata-version") or ["0"])[0].split(".")
    known = [int(part) for part in version if part.isdecimal()] >= [2, 2] and "requires-dist" not in dynamic
    return SdistNeeds(requires, tuple(each for each in build if isinstance(each, str)), known or bool(requires))


def _tar_members(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """Yield the two files of a tar archive, which is read once and in one direction."""
    import bz2
    import gzip

    head = file.read(3)
    file.seek(0)
    plain = cast("IO[bytes]", bz2.BZ2File(file) if head == b"BZh" else gzip.GzipFile(fileobj=file))
    limited = io.BufferedReader(LimitedReader(plain, MAX_READ_BYTES))
    with tarfile.open(fileobj=limited, mode="r|") as archive:
        for member in archive:
            if member.isfile() and _is_wanted(member.name) and member.size <= MAX_MEMBER_BYTES:
                content = archive.extractfile(member)
                if content is not None:
                    yield member.name.partition("/")[2], content.read()


def _zip_members(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if _is_wanted(member.filename) and member.file_size <= MAX_MEMBER_BYTES:
                with archive.open(member) as content:
                    yield member.filename.partition("/")[2], content.read(MAX_MEMBER_BYTES)


def _is_wanted(path: str) -> bool:
    return path.partition("/")[2] in ("PKG-INFO", "pyproject.toml")
