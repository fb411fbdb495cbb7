"""The entries of a zip file one after the other, each compared with the directory and with its checksum.

Some installers read the directory, others the local header in front of each entry. Both must see the same files, and
nothing else may lie between them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from wheelgate_stage.limits import refused_archive
from wheelgate_stage.zip_directory import (
    ENCRYPTED,
    NAME_IS_UTF8,
    ZipDirectory,
    ZipEntry,
    extra_fields,
    large_numbers,
    unreadable_zip,
)

LOCAL_HEADER = struct.Struct("<4s5H3I2H")
LOCAL_MAGIC, DESCRIPTOR_MAGIC = b"PK\3\4", b"PK\7\10"
HAS_DESCRIPTOR = 1 << 3
"""The flag of an entry whose lengths and checksum follow its content (4.3.9)."""
DESCRIPTORS = {
    12: struct.Struct("<I2I"),
    16: struct.Struct("<4sI2I"),
    20: struct.Struct("<I2Q"),
    24: struct.Struct("<4sI2Q"),
}
"""The forms of what follows the content, by length: without and with a signature, numbers of 32 and 64 bits."""
STORED, DEFLATED = 0, 8
UNPACK_CHUNK_BYTES = 1 << 20
"""Bytes that are read or unpacked at once."""


class ZipWalk:
    """Walks through all entries of a zip in the order of the file."""

    def __init__(self, archive: str, file: BinaryIO, directory: ZipDirectory) -> None:
        self._archive = archive
        self._file = file
        self._directory = directory

    def entries(self) -> Iterator[ZipEntry]:
        """Yield each entry after its local header was compared with the directory; call :meth:`content` or not.

        Raises:
            BadInput: the two differ, or something lies between the entries.
        """
        entries, start = self._directory.entries, self._directory.start
        position = 0
        for entry, following in zip(entries, [*(entry.offset for entry in entries[1:]), start], strict=True):
            if entry.offset != position:
                raise self._unlisted()
            self._file.seek(position)
            local_flags = self._check_header(entry)
            begin = self._file.tell()
            yield entry
            position = begin + entry.packed
            if local_flags & HAS_DESCRIPTOR:
                self._file.seek(position)
                self._check_descriptor(entry, following - position)
                position = following
        if position != start:
            raise self._unlisted()

    def content(self, entry: ZipEntry) -> Iterator[bytes]:
        """Yield the content of the entry at hand; raise ``BadInput`` at its end if length or checksum are wrong."""
        size = crc = 0
        for chunk in self._inflated(entry) if entry.method == DEFLATED else self._raw(entry):
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
            if size > entry.size:
                break
            yield chunk
        if size != entry.size:
            raise self._differs(entry, "another length than its directory gives")
        if crc != entry.crc:
            raise self._differs(entry, "a wrong checksum")

    def _check_header(self, entry: ZipEntry) -> int:
        """Compare the local header of an entry with the directory; return its flags."""
        head = self._file.read(LOCAL_HEADER.size)
        magic, _, flags, method, _, _, crc, packed, size, name_len, extra_len = LOCAL_HEADER.unpack(head)
        if magic != LOCAL_MAGIC:
            raise unreadable_zip(self._archive)
        name, extra = self._file.read(name_len), self._file.read(extra_len)
        same_bits = ENCRYPTED | NAME_IS_UTF8
        if name != entry.raw_name or flags & same_bits != entry.flags & same_bits:
            raise self._differs(entry, "another name in its own header")
        size, packed = large_numbers(self._archive, extra_fields(self._archive, entry.name, extra), (size, packed))
        found, right = (method, crc, packed, size), (entry.method, entry.crc, entry.packed, entry.size)
        unknown_yet = (entry.method, 0, 0, 0) if flags & HAS_DESCRIPTOR else right
        if found not in (right, unknown_yet):
            raise self._differs(entry, "another length, checksum or compression in its own header")
        return int(flags)

    def _check_descriptor(self, entry: ZipEntry, length: int) -> None:
        """Compare what follows the content of an entry with the directory."""
        form = DESCRIPTORS.get(length)
        if form is None:
            raise self._unlisted()
        *magic, crc, packed, size = form.unpack(self._file.read(length))
        if magic not in ([], [DESCRIPTOR_MAGIC]) or (crc, packed, size) != (entry.crc, entry.packed, entry.size):
            raise self._differs(entry, "another length or checksum behind its content")

    def _raw(self, entry: ZipEntry) -> Iterator[bytes]:
        left = entry.packed
        while left and (data := self._file.read(min(left, UNPACK_CHUNK_BYTES))):
            left -= len(data)
            yield data

    def _inflated(self, entry: ZipEntry) -> Iterator[bytes]:
        decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
        for data in self._raw(entry):
            packed = data
            while packed and not decompressor.eof:
                yield decompressor.decompress(packed, UNPACK_CHUNK_BYTES)
                packed = decompressor.unconsumed_tail or decompressor.unused_data
            if packed:
                raise self._differs(entry, "bytes after the end of its content")
        yield decompressor.flush()
        if not decompressor.eof:
            raise self._differs(entry, "an incomplete content")

    def _unlisted(self) -> Exception:
        return refused_archive(
            self._archive, "it has something between its entries that its directory does not list, or they overlap"
        )

    def _differs(self, entry: ZipEntry, what: str) -> Exception:
        return refused_archive(self._archive, f"its entry {entry.name[:80]!a} has {what}")
