"""Source distributions (``.tar.gz``), unpacked in memory as a stream to read their core metadata."""

from __future__ import annotations

import io
import re
import struct
import tarfile
import zlib
from typing import Any, BinaryIO

from wheelgate.packages import ReceivedFile
from wheelgate_stage.limits import (
    MAX_CORE_METADATA_BYTES,
    MAX_GLOBAL_TAR_RECORDS,
    MAX_ONE_TAR_HEADER_BYTES,
    MAX_TAR_BYTES,
    MIN_BOMB_ENTRIES,
    MIN_PACKED_BYTES_PER_ENTRY,
    ArchiveLimits,
    check_ratio,
    refused_archive,
)
from wheelgate_stage.tar_links import TarNames

TAR_ERRORS = (tarfile.TarError, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, RecursionError)
"""What ``tarfile`` raises for broken archives; RecursionError for endless chains of headers."""
UNPACK_CHUNK_BYTES = 1 << 20
"""Bytes that are read or unpacked at once."""
PAX_HEADER_TYPES = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE}
"""The types of extended headers (POSIX)."""
LONG_NAME_TYPES = {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
"""The types of headers with a long name for the next entry (GNU)."""
PAX_RECORD = re.compile(rb"(\d{1,5}) ([^=]{1,200})=")
"""The start of a record in an extended header: the length of the whole record, and its key."""
SPARSE_RECORD = re.compile(rb"\d GNU\.sparse[^=]*=")
"""The record of a sparse file in an extended header."""
LENGTH_RECORD = re.compile(rb"\d size=")
"""The record of a length in an extended header. Only files of more than 8 GiB need one."""
TOO_MANY_DIGITS = re.compile(rb"\d{100}")
"""More digits than any number, hash or time has."""
PKG_INFO_PATH = re.compile(r"(?:\./)?[^/]+/PKG-INFO", re.IGNORECASE)
"""The path of the core metadata in an sdist, as systems that ignore case see it."""


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
        self.last = b""
        """The header that was read last."""
        self._global_records = 0

    def check(self, block: bytes) -> None:
        """Check the next block of headers. Raise ``BadInput`` if it is not valid."""
        self.last = block
        self._read += len(block)
        if self._read > self._limits.max_tar_headers_bytes:
            raise self._limits.exceeded(
                self._archive, f"its headers have more than {self._limits.max_tar_headers_bytes} bytes"
            )
        if self._kind in PAX_HEADER_TYPES:
            if SPARSE_RECORD.search(block):
                raise refused_archive(self._archive, "it contains a sparse file")
            if LENGTH_RECORD.search(block):
                # Some readers take this length, others that in the header after it (CVE-2025-62518).
                raise refused_archive(self._archive, "one of its extended headers gives a length")
            if TOO_MANY_DIGITS.search(block):
                raise refused_archive(self._archive, "one of its extended headers has a number of 100 digits")
            if not self._is_pax(block):
                raise refused_archive(self._archive, "one of its extended headers does not conform to POSIX")
            if self._kind == tarfile.XGLTYPE:
                self._count_global(block)
            self._kind = b""
        elif self._kind in LONG_NAME_TYPES:
            self._kind = b""
        else:
            self._kind = block[156:157]
            if self._kind == tarfile.GNUTYPE_SPARSE:
                raise refused_archive(self._archive, "it contains a sparse file")

    def _count_global(self, block: bytes) -> None:
        """Refuse more global records than tools write: ``tarfile`` goes through all of them for each entry."""
        self._global_records += block.count(b"=")
        if self._global_records > MAX_GLOBAL_TAR_RECORDS:
            raise refused_archive(self._archive, f"its global headers have more than {MAX_GLOBAL_TAR_RECORDS} records")

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
        self._decompressor: Any = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._packed = b""
        self.packed_size = 0
        """Bytes of the file that have been unpacked."""
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
                if self._decompressor.unused_data or self._file.read(1):
                    # Some installers unpack a second part, others stop before it.
                    raise refused_archive(self._archive, "it has bytes after the end of its compressed content")
                return b""
            packed = self._packed or self._file.read(UNPACK_CHUNK_BYTES)
            chunk: bytes = self._decompressor.decompress(packed, UNPACK_CHUNK_BYTES)
            self.packed_size += len(packed) - len(self._decompressor.unconsumed_tail)
            self._packed = self._decompressor.unconsumed_tail
            check_ratio(self._archive, self._position + len(chunk), self.packed_size)
            if chunk:
                return chunk
            if not packed:
                raise EOFError

    def finish(self) -> None:
        """Read the rest, up to the limit. Raise ``BadInput`` if it is not the end, which consists of zeros."""
        if self._position > MAX_TAR_BYTES:
            return
        rest = self._header_check.last
        while rest and not rest.strip(b"\0") and self._position <= MAX_TAR_BYTES:
            rest = self._read_unpacked(UNPACK_CHUNK_BYTES)
        if rest.strip(b"\0"):
            raise refused_archive(self._archive, "one of its headers is broken, or something follows its end")


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
    names = TarNames(archive)
    opened = tarfile.open(fileobj=reader, mode="r:")  # type: ignore[call-overload]  # noqa: SIM115 - has nothing to close
    while reader.tell() <= MAX_TAR_BYTES and (entry := opened.next()) is not None:
        opened.members.clear()  # tarfile would keep every entry in memory
        count += 1
        limits.check_entries(archive, count)
        if count > MIN_BOMB_ENTRIES and reader.packed_size < MIN_PACKED_BYTES_PER_ENTRY * count:
            raise refused_archive(
                archive,
                f"its entries take fewer than {MIN_PACKED_BYTES_PER_ENTRY} bytes each, as they do only in zip bombs",
            )
        names.add(entry)
        if PKG_INFO_PATH.fullmatch(entry.name):
            if found is not None:
                raise refused_archive(archive, "it has more than one NAME-VERSION/PKG-INFO")
            if not entry.isreg() or not entry.name.endswith("PKG-INFO"):
                raise refused_archive(archive, "its PKG-INFO is not a regular file of that name")
            if entry.size > MAX_CORE_METADATA_BYTES:
                raise refused_archive(archive, f"its PKG-INFO is longer than {MAX_CORE_METADATA_BYTES >> 20} MiB")
            found = reader.content(entry.size)
            if len(found) < entry.size:
                raise EOFError
    names.finish()
    reader.finish()
    return found
