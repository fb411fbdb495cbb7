"""Source distributions (``.tar.gz``), unpacked in memory as a stream to read their core metadata."""

from __future__ import annotations

import io
import re
import struct
import tarfile
import zlib
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from wheelgate.packages import ReceivedFile
from wheelgate_stage.limits import (
    MAX_CORE_METADATA_BYTES,
    MAX_ONE_TAR_HEADER_BYTES,
    MAX_TAR_BYTES,
    ArchiveLimits,
    check_entry_name,
    check_ratio,
    refused_archive,
)

TAR_ERRORS = (tarfile.TarError, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, RecursionError)
"""What ``tarfile`` raises for broken archives; RecursionError for endless chains of headers."""
UNPACK_CHUNK_BYTES = 1 << 20
"""Bytes that are read or unpacked at once."""
GZIP_MAGIC = b"\x1f\x8b"
"""The first bytes of a gzip file."""
PAX_HEADER_TYPES = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE}
"""The types of extended headers (POSIX)."""
LONG_NAME_TYPES = {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
"""The types of headers with a long name for the next entry (GNU)."""
PAX_RECORD = re.compile(rb"(\d{1,5}) ([^=]{1,200})=")
"""The start of a record in an extended header: the length of the whole record, and its key."""
SPARSE_RECORD = re.compile(rb"\d GNU\.sparse[^=]*=")
"""The record of a sparse file in an extended header."""
TOO_MANY_DIGITS = re.compile(rb"\d{100}")
"""More digits than any number, hash or time has."""
PKG_INFO_PATH = re.compile(r"(?:\./)?[^/]+/PKG-INFO")
"""The path of the core metadata in an sdist."""


class HeaderCheck:
    """Checks the headers of a tar before ``tarfile`` parses them.

    ``tarfile`` takes hours for certain headers of a few kilobytes: its patterns for extended headers take time with
    the square of their length (CVE-2024-6232). The maps of sparse files take all memory.
    """

    def __init__(self, archive: str, limits: ArchiveLimits) -> None:
        self._archive = archive
        self._limits = limits
        self._read = 0
        self._kind = b""

    def check(self, block: bytes) -> None:
        """Check the next block of headers. Raise ``BadInput`` if it is not valid."""
        self._read += len(block)
        if self._read > self._limits.max_tar_headers_bytes:
            raise self._limits.exceeded(
                self._archive, f"its headers have more than {self._limits.max_tar_headers_bytes} bytes"
            )
        if self._kind in PAX_HEADER_TYPES:
            if SPARSE_RECORD.search(block):
                raise refused_archive(self._archive, "it contains a sparse file")
            if TOO_MANY_DIGITS.search(block):
                raise refused_archive(self._archive, "one of its extended headers has a number of 100 digits")
            if not self._is_pax(block):
                raise refused_archive(self._archive, "one of its extended headers does not conform to POSIX")
            self._kind = b""
        elif self._kind in LONG_NAME_TYPES:
            self._kind = b""
        else:
            self._kind = block[156:157]
            if self._kind == tarfile.GNUTYPE_SPARSE:
                raise refused_archive(self._archive, "it contains a sparse file")

    @staticmethod
    def _is_pax(block: bytes) -> bool:
        """Say whether an extended header consists of valid records."""
        position, end = 0, len(block.rstrip(b"\0"))
        while position < end:
            record = PAX_RECORD.match(block, position)
            if record is None:
                return False
            position += int(record[1])
            if block[position - 1 : position] != b"\n" or record.end() > position:
                return False
        return position == end


class GzipReader:
    """A file object for ``tarfile``: the unpacked content of a gzip file, forwards only.

    ``tarfile`` trusts every length in a header, so this class limits what it reads.
    """

    def __init__(self, archive: str, file: BinaryIO, limits: ArchiveLimits) -> None:
        self._archive = archive
        self._header_check = HeaderCheck(archive, limits)
        self._file = file
        self._decompressor = _new_decompressor()
        self._packed = b""
        self._packed_size = 0
        self._buffer = io.BytesIO()
        self._position = 0

    def tell(self) -> int:
        """Return the position in the unpacked content."""
        return self._position

    def seek(self, position: int) -> None:
        """Skip forward to a position. Raise ``BadInput`` if a false header leads backwards."""
        if position < self._position:
            raise refused_archive(self._archive, "one of its headers gives a negative length")
        while self._position < position and self._read_unpacked(min(UNPACK_CHUNK_BYTES, position - self._position)):
            pass

    def read(self, size: int) -> bytes:
        """Read headers. Raise ``BadInput`` if they are too long or not valid."""
        if not 0 <= size <= MAX_ONE_TAR_HEADER_BYTES:
            raise refused_archive(
                self._archive, f"the length of one of its headers is not 0 to {MAX_ONE_TAR_HEADER_BYTES} bytes"
            )
        content = self.content(size)
        self._header_check.check(content)
        return content

    def content(self, size: int) -> bytes:
        """Read the content of an entry."""
        parts = []
        while size and (part := self._read_unpacked(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _read_unpacked(self, size: int) -> bytes:
        """Return at most ``size`` of the next bytes; none at the end."""
        part = self._buffer.read(size)
        if not part:
            self._buffer = io.BytesIO(self._unpack_chunk())
            part = self._buffer.read(size)
        self._position += len(part)
        return part

    def _unpack_chunk(self) -> bytes:
        """Return the next unpacked bytes; none at the end."""
        while True:
            if self._decompressor.eof:
                self._packed = self._decompressor.unused_data or self._file.read(UNPACK_CHUNK_BYTES)
                if not self._packed.startswith(GZIP_MAGIC):  # else another part of the file follows
                    return b""
                self._decompressor = _new_decompressor()
            packed = self._packed or self._file.read(UNPACK_CHUNK_BYTES)
            chunk: bytes = self._decompressor.decompress(packed, UNPACK_CHUNK_BYTES)
            self._packed_size += len(packed) - len(self._decompressor.unconsumed_tail)
            self._packed = self._decompressor.unconsumed_tail
            check_ratio(self._archive, self._position + len(chunk), self._packed_size)
            if chunk:
                return chunk
            if not packed:
                raise EOFError

    def finish(self) -> None:
        """Read the rest, up to the limit, to find damage."""
        while self._position <= MAX_TAR_BYTES and self._read_unpacked(UNPACK_CHUNK_BYTES):
            pass


def _new_decompressor() -> Any:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def tar_metadata(archive: str, received: ReceivedFile, limits: ArchiveLimits) -> bytes:
    """Return the core metadata of a ``.tar.gz`` file; ``archive`` is its name in messages.

    Raises:
        BadInput: there is none, or the archive is broken or beyond a limit.
    """
    try:
        with received.open() as file:
            content = _find_metadata(archive, GzipReader(archive, file, limits), limits)
    except TAR_ERRORS as error:
        raise refused_archive(archive, "it is not a .tar.gz file that can be read") from error
    if content is None:
        raise refused_archive(
            archive, f"it has no NAME-VERSION/PKG-INFO, at least not in its first {MAX_TAR_BYTES >> 20} MiB"
        )
    return content


def _find_metadata(archive: str, reader: GzipReader, limits: ArchiveLimits) -> bytes | None:
    """Check all entries, and return the core metadata; None if there is none."""
    found = None
    count = 0
    opened = tarfile.open(fileobj=reader, mode="r:")  # type: ignore[call-overload]  # noqa: SIM115 - has nothing to close
    while reader.tell() <= MAX_TAR_BYTES and (entry := opened.next()) is not None:
        opened.members.clear()  # tarfile would keep every entry in memory
        count += 1
        limits.check_entries(archive, count)
        _check_entry(archive, entry)
        if PKG_INFO_PATH.fullmatch(entry.name):
            if found is not None:
                raise refused_archive(archive, "it has more than one NAME-VERSION/PKG-INFO")
            if not entry.isreg():
                raise refused_archive(archive, "its PKG-INFO is not a regular file")
            if entry.size > MAX_CORE_METADATA_BYTES:
                raise refused_archive(archive, f"its PKG-INFO is longer than {MAX_CORE_METADATA_BYTES >> 20} MiB")
            found = reader.content(entry.size)
            if len(found) < entry.size:
                raise EOFError
    reader.finish()
    return found


def _check_entry(archive: str, entry: tarfile.TarInfo) -> None:
    """Refuse an entry that leads out of the archive's folder, or is neither file, folder nor link."""
    check_entry_name(archive, entry.name)
    if entry.islnk():
        check_entry_name(archive, entry.linkname, "link to")
    elif entry.issym():
        depth = len(PurePosixPath(entry.name).parts) - 1
        for part in PurePosixPath(entry.linkname).parts:
            depth += -1 if part == ".." else 1
            if depth < 1 or part == "/":
                raise refused_archive(archive, f"its link {entry.name[:80]!a} leads out of the archive")
    elif not (entry.isreg() or entry.isdir()):
        raise refused_archive(archive, f"its entry {entry.name[:80]!a} is neither a file nor a folder nor a link")
