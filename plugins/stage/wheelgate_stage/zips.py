"""Wheels and other zips, opened as far as it takes to read their core metadata."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from typing import BinaryIO

from wheelgate.packages import ReceivedFile, normalize
from wheelgate_stage.limits import (
    LONGEST_DIRECTORY,
    LONGEST_METADATA,
    MOST_ENTRIES,
    broken,
    refuse_name,
    refuse_ratio,
)

FAULTS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, OverflowError)
"""What ``zipfile`` raises for broken, encrypted (RuntimeError) and exotic (NotImplementedError) archives."""
READABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
METADATA = {
    "wheel": (re.compile(r"([^/]+)\.dist-info/METADATA"), "NAME-VERSION.dist-info/METADATA"),
    "zip": (re.compile(r"([^/]+)/PKG-INFO"), "NAME-VERSION/PKG-INFO"),
}
"""By the kind of archive: where the core metadata stand, as a pattern and for people."""


class Sparing:
    """A file of which only so much is read: ``zipfile`` believes every length that an archive gives."""

    def __init__(self, archive: str, file: BinaryIO, most: int) -> None:
        self._archive = archive
        self._file = file
        self._left = most
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        """Read. Raise ``BadInput`` when it has become too much."""
        most = self._left + 1
        content = self._file.read(most if size < 0 else min(size, most))
        self._left -= len(content)
        if self._left < 0:
            raise broken(self._archive, "its directory is larger than that of any honest archive")
        return content


def zip_metadata(archive: str, draft: ReceivedFile, kind: str, project: str) -> bytes:
    """Return the core metadata in a zip file.

    Args:
        archive: what the file is called in sentences.
        draft: the file itself.
        kind: a key of :data:`METADATA`.
        project: the normalised name, which the folder of the metadata bears in a wheel.

    Raises:
        BadInput: there are none, or the archive is broken or beyond a limit.
    """
    pattern, place = METADATA[kind]
    try:
        with draft.open() as file, _opened(archive, file) as opened:
            found = [(match[1], info) for info in opened.infolist() if (match := pattern.fullmatch(info.filename))]
            if len(found) != 1:
                raise broken(archive, f"it holds {'no' if not found else 'more than one'} {place}")
            folder, info = found[0]
            if kind == "wheel" and normalize(folder.partition("-")[0]) != project:
                raise broken(
                    archive, f"the metadata in it lie in {folder[:80]!a}.dist-info, which is another project's"
                )
            if info.file_size > LONGEST_METADATA:
                raise broken(archive, f"its metadata are longer than {LONGEST_METADATA >> 20} MiB")
            if info.compress_type not in READABLE:
                raise broken(archive, "its metadata are compressed in a way that installers do not read")
            with opened.open(info) as member:
                content = member.read(LONGEST_METADATA + 1)
            if len(content) != info.file_size:
                raise broken(archive, "its directory says another length of its metadata than they have")
            return content
    except FAULTS as error:
        raise _unreadable(archive) from error


def check_zip(archive: str, draft: ReceivedFile) -> None:
    """Raise ``BadInput`` if a file is no sound zip file."""
    try:
        with draft.open() as file, _opened(archive, file):
            pass
    except FAULTS as error:
        raise _unreadable(archive) from error


def _opened(archive: str, file: BinaryIO) -> zipfile.ZipFile:
    """Open a zip file and look at its directory."""
    if file.read(4) not in (b"PK\3\4", b"PK\5\6"):  # empty ones begin with their end
        raise zipfile.BadZipFile
    opened = zipfile.ZipFile(Sparing(archive, file, LONGEST_DIRECTORY + LONGEST_METADATA))
    infos = opened.infolist()
    names = {info.filename for info in infos}
    if len(infos) > MOST_ENTRIES:
        raise broken(archive, f"it has more than {MOST_ENTRIES} entries")
    if len(names) < len(infos):
        raise broken(archive, "two of its entries have the same name")
    for info in infos:
        refuse_name(archive, info.orig_filename)
    refuse_ratio(archive, sum(info.file_size for info in infos), sum(info.compress_size for info in infos))
    return opened


def _unreadable(archive: str) -> Exception:
    return broken(archive, "it is not a zip file that can be read")
