"""Wheels and other zip files, opened to read their core metadata."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from typing import BinaryIO

from wheelgate.packages import ReceivedFile, normalize
from wheelgate_stage.limits import (
    MAX_CORE_METADATA_BYTES,
    ArchiveLimits,
    check_entry_name,
    check_ratio,
    refused_archive,
)

ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, OverflowError)
"""What ``zipfile`` raises for broken, encrypted (RuntimeError) and exotic (NotImplementedError) archives."""
READABLE_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""The compression methods that every installer reads."""
METADATA_PATHS = {
    "wheel": (re.compile(r"[^/]+\.dist-info/METADATA"), "NAME-VERSION.dist-info/METADATA"),
    "zip": (re.compile(r"[^/]+/PKG-INFO"), "NAME-VERSION/PKG-INFO"),
}
"""By the kind of archive: the path of the core metadata, as a pattern and for messages."""

NO_NAME = re.compile(r"(?!)")
"""Matches nothing."""


class LimitedReader:
    """A file object that refuses to read past a limit: ``zipfile`` trusts every length in an archive."""

    def __init__(self, archive: str, file: BinaryIO, limits: ArchiveLimits) -> None:
        self._archive = archive
        self._file = file
        self._limits = limits
        self._left = limits.max_zip_directory_bytes + MAX_CORE_METADATA_BYTES
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        """Read bytes. Raise ``BadInput`` beyond the limit."""
        limit = self._left + 1
        content = self._file.read(limit if size < 0 else min(size, limit))
        self._left -= len(content)
        if self._left < 0:
            raise self._limits.exceeded(
                self._archive, f"its directory has more than {self._limits.max_zip_directory_bytes} bytes"
            )
        return content


class CheckedEntries(list[zipfile.ZipInfo]):
    """The entries of a zip: checks each as it is read, and keeps only those whose name matches a pattern.

    ``zipfile`` needs half a kilobyte for each entry, which would be 60 MB for the largest releases.
    """

    def __init__(self, archive: str, limits: ArchiveLimits, kept: re.Pattern[str]) -> None:
        super().__init__()
        self._archive = archive
        self._limits = limits
        self._kept = kept
        self._names: set[int] = set()
        """Hashes of all names: they need a third of the memory."""
        self._unpacked = self._packed = 0

    def append(self, info: zipfile.ZipInfo) -> None:
        """Check an entry. Raise ``BadInput`` if it is not valid, or has the name of another."""
        check_entry_name(self._archive, info.orig_filename)
        name = hash(info.filename)
        if name in self._names:
            raise refused_archive(self._archive, "two of its entries have the same name")
        self._names.add(name)
        self._limits.check_entries(self._archive, len(self._names))
        self._unpacked += info.file_size
        self._packed += info.compress_size
        if self._kept.fullmatch(info.filename):
            super().append(info)

    def finish(self) -> None:
        """Raise ``BadInput`` if all entries together unpack to more than a real archive does."""
        check_ratio(self._archive, self._unpacked, self._packed)


class CheckedZipFile(zipfile.ZipFile):
    """A zip file whose entries are checked while its directory is read."""

    def __init__(self, archive: str, file: BinaryIO, limits: ArchiveLimits, kept: re.Pattern[str]) -> None:
        self._entries = CheckedEntries(archive, limits, kept)
        super().__init__(LimitedReader(archive, file, limits))
        self._entries.finish()

    @property
    def filelist(self) -> CheckedEntries:
        """The entries that were kept; ``zipfile`` appends every entry."""
        return self._entries

    @filelist.setter
    def filelist(self, value: list[zipfile.ZipInfo]) -> None:
        """Ignore the empty list of ``zipfile``."""

    @property
    def NameToInfo(self) -> dict[str, zipfile.ZipInfo]:  # noqa: N802
        """An empty dictionary, into which ``zipfile`` writes every entry: it would keep them all."""
        return {}

    @NameToInfo.setter
    def NameToInfo(self, value: dict[str, zipfile.ZipInfo]) -> None:  # noqa: N802
        """Ignore the dictionary of ``zipfile``."""


def zip_metadata(archive: str, received: ReceivedFile, kind: str, project: str, limits: ArchiveLimits) -> bytes:
    """Return the core metadata of a zip file.

    Args:
        archive: the file's name in messages.
        received: the file.
        kind: a key of :data:`METADATA_PATHS`.
        project: the normalised name; the folder of the metadata in a wheel must have it.
        limits: the limits of archives.

    Raises:
        BadInput: there is none, or the archive is broken or beyond a limit.
    """
    pattern, place = METADATA_PATHS[kind]
    try:
        with received.open() as file, _open(archive, file, limits, pattern) as opened:
            found = opened.filelist
            if len(found) != 1:
                raise refused_archive(archive, f"it has {'no' if not found else 'more than one'} {place}")
            info = found[0]
            folder = info.filename.partition("/")[0].removesuffix(".dist-info")
            if kind == "wheel" and normalize(folder.partition("-")[0]) != project:
                raise refused_archive(
                    archive, f"its metadata is in {folder[:80]!a}.dist-info, which belongs to another project"
                )
            if info.file_size > MAX_CORE_METADATA_BYTES:
                raise refused_archive(archive, f"its metadata is longer than {MAX_CORE_METADATA_BYTES >> 20} MiB")
            if info.compress_type not in READABLE_METHODS:
                raise refused_archive(
                    archive, "its metadata is compressed with a method that not every installer reads"
                )
            with opened.open(info) as member:
                content = member.read(MAX_CORE_METADATA_BYTES + 1)
            if len(content) != info.file_size:
                raise refused_archive(archive, "its directory gives another length of its metadata than the true one")
            return content
    except ZIP_ERRORS as error:
        raise _unreadable(archive) from error


def check_zip(archive: str, received: ReceivedFile, limits: ArchiveLimits) -> None:
    """Raise ``BadInput`` if a file is not a valid zip file."""
    try:
        with received.open() as file, _open(archive, file, limits, NO_NAME):
            pass
    except ZIP_ERRORS as error:
        raise _unreadable(archive) from error


def _open(archive: str, file: BinaryIO, limits: ArchiveLimits, kept: re.Pattern[str]) -> CheckedZipFile:
    """Open a zip file and check its directory."""
    if file.read(4) not in (b"PK\3\4", b"PK\5\6"):  # the second is that of an empty zip file
        raise zipfile.BadZipFile
    return CheckedZipFile(archive, file, limits, kept)


def _unreadable(archive: str) -> Exception:
    return refused_archive(archive, "it is not a zip file that can be read")
