"""Wheels and other zip files, opened to read their core metadata."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from typing import BinaryIO

from wheelgate.packages import ReceivedFile, normalize
from wheelgate_stage.limits import (
    MAX_ARCHIVE_ENTRIES,
    MAX_CORE_METADATA_BYTES,
    MAX_ZIP_DIRECTORY_BYTES,
    check_entry_name,
    check_ratio,
    refused_archive,
)

ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, OverflowError)
"""What ``zipfile`` raises for broken, encrypted (RuntimeError) and exotic (NotImplementedError) archives."""
READABLE_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""The compression methods that every installer reads."""
METADATA_PATHS = {
    "wheel": (re.compile(r"([^/]+)\.dist-info/METADATA"), "NAME-VERSION.dist-info/METADATA"),
    "zip": (re.compile(r"([^/]+)/PKG-INFO"), "NAME-VERSION/PKG-INFO"),
}
"""By the kind of archive: the path of the core metadata, as a pattern and for messages."""


class LimitedReader:
    """A file object that refuses to read past a limit: ``zipfile`` trusts every length in an archive."""

    def __init__(self, archive: str, file: BinaryIO, limit: int) -> None:
        self._archive = archive
        self._file = file
        self._left = limit
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        """Read bytes. Raise ``BadInput`` beyond the limit."""
        limit = self._left + 1
        content = self._file.read(limit if size < 0 else min(size, limit))
        self._left -= len(content)
        if self._left < 0:
            raise refused_archive(self._archive, "its directory is larger than that of any real archive")
        return content


def zip_metadata(archive: str, received: ReceivedFile, kind: str, project: str) -> bytes:
    """Return the core metadata of a zip file.

    Args:
        archive: the file's name in messages.
        received: the file.
        kind: a key of :data:`METADATA_PATHS`.
        project: the normalised name; the folder of the metadata in a wheel must have it.

    Raises:
        BadInput: there is none, or the archive is broken or beyond a limit.
    """
    pattern, place = METADATA_PATHS[kind]
    try:
        with received.open() as file, _open(archive, file) as opened:
            found = [(match[1], info) for info in opened.infolist() if (match := pattern.fullmatch(info.filename))]
            if len(found) != 1:
                raise refused_archive(archive, f"it has {'no' if not found else 'more than one'} {place}")
            folder, info = found[0]
            if kind == "wheel" and normalize(folder.partition("-")[0]) != project:
                raise refused_archive(
                    archive, f"its metadata is in {folder[:80]!a}.dist-info, which belongs to another project"
                )
            if info.file_size > MAX_CORE_METADATA_BYTES:
                raise refused_archive(archive, f"its metadata is longer than {MAX_CORE_METADATA_BYTES >> 20} MiB")
            if info.compress_type not in READABLE_METHODS:
                raise refused_archive(archive, "its metadata is compressed with a method that installers do not read")
            with opened.open(info) as member:
                content = member.read(MAX_CORE_METADATA_BYTES + 1)
            if len(content) != info.file_size:
                raise refused_archive(archive, "its directory gives another length of its metadata than the true one")
            return content
    except ZIP_ERRORS as error:
        raise _unreadable(archive) from error


def check_zip(archive: str, received: ReceivedFile) -> None:
    """Raise ``BadInput`` if a file is not a valid zip file."""
    try:
        with received.open() as file, _open(archive, file):
            pass
    except ZIP_ERRORS as error:
        raise _unreadable(archive) from error


def _open(archive: str, file: BinaryIO) -> zipfile.ZipFile:
    """Open a zip file and check its directory."""
    if file.read(4) not in (b"PK\3\4", b"PK\5\6"):  # the second is that of an empty zip file
        raise zipfile.BadZipFile
    opened = zipfile.ZipFile(LimitedReader(archive, file, MAX_ZIP_DIRECTORY_BYTES + MAX_CORE_METADATA_BYTES))
    infos = opened.infolist()
    names = {info.filename for info in infos}
    if len(infos) > MAX_ARCHIVE_ENTRIES:
        raise refused_archive(archive, f"it has more than {MAX_ARCHIVE_ENTRIES} entries")
    if len(names) < len(infos):
        raise refused_archive(archive, "two of its entries have the same name")
    for info in infos:
        check_entry_name(archive, info.orig_filename)
    check_ratio(archive, sum(info.file_size for info in infos), sum(info.compress_size for info in infos))
    return opened


def _unreadable(archive: str) -> Exception:
    return refused_archive(archive, "it is not a zip file that can be read")
