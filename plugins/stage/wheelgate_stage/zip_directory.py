"""The directory at the end of a zip file (APPNOTE.TXT 4.3.12 to 4.3.16), read so that no two readers can differ on it.

``zipfile`` accepts bytes before, between and after the parts of a zip, counts that lie, and names that an extra field
replaces. Other readers look at other parts, so that each could see other files in the same archive.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from wheelgate_stage.limits import ArchiveLimits, refused_archive

END_MAGIC, DIRECTORY_MAGIC = b"PK\5\6", b"PK\1\2"
END_RECORD = struct.Struct("<4s4H2IH")
DIRECTORY_RECORD = struct.Struct("<4s4B4H3I5H2I")
LARGE_LOCATOR = struct.Struct("<4sIQI")
LARGE_END_RECORD = struct.Struct("<4sQ2H2I4Q")
"""The end record of zips with more than 4 GiB or 65,535 entries (ZIP64)."""
LARGE_END_REST_BYTES = LARGE_END_RECORD.size - 12
"""What that record gives as its own length, which does not count its first two fields."""
MAX_COMMENT_BYTES = 0xFFFF
ALL_ONES_16, ALL_ONES_32 = 0xFFFF, 0xFFFF_FFFF
"""Values that stand for "look in the ZIP64 record"."""
ENCRYPTED, NAME_IS_UTF8 = 1 << 0, 1 << 11
"""Bits of an entry's flags (4.4.4)."""
LARGE_EXTRA, NAME_EXTRA = 0x0001, 0x7075
"""Extra fields with large numbers (4.5.3), and with another name (4.6.9)."""


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """An entry as the directory describes it."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    """Where its local header begins."""
    unix_mode: int
    """Type and permissions of the file; 0 if the archive does not say."""


@dataclass(frozen=True, slots=True)
class ZipDirectory:
    """All entries, in the order in which they lie in the file, and where the directory begins."""

    entries: tuple[ZipEntry, ...]
    start: int


def read_directory(archive: str, file: BinaryIO, limits: ArchiveLimits) -> ZipDirectory:
    """Read the directory of a zip.

    Raises:
        BadInput: it is broken, too large, or not directly before the end of the file.
        struct.error: it is cut off.
    """
    count, size, start = _read_end(archive, file)
    if size > limits.max_zip_directory_bytes:
        raise limits.exceeded(archive, f"its directory has more than {limits.max_zip_directory_bytes} bytes")
    limits.check_entries(archive, count)
    file.seek(start)
    entries = list(_read_entries(archive, file.read(size)))
    if len(entries) != count:
        raise refused_archive(archive, f"its last record counts {count} entries, but its directory has {len(entries)}")
    return ZipDirectory(tuple(sorted(entries, key=lambda entry: entry.offset)), start)


def _read_end(archive: str, file: BinaryIO) -> tuple[int, int, int]:
    """Return the number of entries, and the length and the place of the directory in bytes."""
    length = file.seek(0, 2)
    file.seek(max(0, length - END_RECORD.size - MAX_COMMENT_BYTES))
    tail = file.read()
    begin = tail.rfind(END_MAGIC)
    if begin < 0:
        raise unreadable_zip(archive)
    _, *disks, here, count, size, start, comment = END_RECORD.unpack_from(tail, begin)
    if begin + END_RECORD.size + comment != len(tail):
        raise refused_archive(archive, "it has bytes after its end")
    end = length - len(tail) + begin
    if here != count or any(disks):
        raise refused_archive(archive, "it is a part of an archive on several disks, or its last record is false")
    file.seek(max(0, end - LARGE_LOCATOR.size))
    located = file.read(LARGE_LOCATOR.size)
    if located.startswith(b"PK\6\7"):
        large = _read_large_end(archive, file, located, end)
        for small, true, ones in zip((count, size, start), large, (ALL_ONES_16, ALL_ONES_32, ALL_ONES_32), strict=True):
            if small not in (true, ones):
                raise refused_archive(archive, "its two last records contradict each other")
        (count, size, start), end = large, end - LARGE_LOCATOR.size - LARGE_END_RECORD.size
    if start + size != end:
        raise refused_archive(
            archive, "its directory is not where its last record says; it may be two zip files in a row"
        )
    return count, size, start


def _read_large_end(archive: str, file: BinaryIO, located: bytes, end: int) -> tuple[int, int, int]:
    """Return the same from the ZIP64 record, which must be directly before its locator."""
    _, _, place, disks = LARGE_LOCATOR.unpack(located)
    if place + LARGE_END_RECORD.size + LARGE_LOCATOR.size != end or disks > 1:
        raise refused_archive(archive, "its ZIP64 record is not directly before its last record")
    file.seek(place)
    record = LARGE_END_RECORD.unpack(file.read(LARGE_END_RECORD.size))
    magic, rest, _, _, _, _, here, count, size, start = record
    if magic != b"PK\6\6" or rest != LARGE_END_REST_BYTES or here != count:
        raise refused_archive(archive, "its ZIP64 record is broken")
    return count, size, start


def _read_entries(archive: str, directory: bytes) -> Iterator[ZipEntry]:
    position = 0
    while position < len(directory):
        record = DIRECTORY_RECORD.unpack_from(directory, position)
        magic, _, _, _, _, flags, method, _, _, crc, packed, size, name_len, extra_len, comment_len = record[:15]
        disk, _, external, offset = record[15:]
        if magic != DIRECTORY_MAGIC or disk:
            raise unreadable_zip(archive)
        name_end = position + DIRECTORY_RECORD.size + name_len
        raw_name = directory[name_end - name_len : name_end]
        name = raw_name.decode("utf-8" if flags & NAME_IS_UTF8 else "cp437")
        extra = extra_fields(archive, name, directory[name_end : name_end + extra_len])
        size, packed, offset = large_numbers(archive, extra, (size, packed, offset))
        if flags & ENCRYPTED:
            raise refused_archive(archive, f"its entry {name[:80]!a} is encrypted")
        yield ZipEntry(name, raw_name, flags, method, crc, packed, size, offset, external >> 16)
        position = name_end + extra_len + comment_len
    if position != len(directory):
        raise unreadable_zip(archive)


def extra_fields(archive: str, name: str, extra: bytes) -> dict[int, bytes]:
    """Return the extra fields of an entry by their ID.

    Raises:
        BadInput: one occurs twice, is cut off, or gives the entry another name than ``name``.
    """
    fields: dict[int, bytes] = {}
    position = 0
    while len(extra) - position >= 4:  # fewer bytes are padding
        kind, length = struct.unpack_from("<2H", extra, position)
        position += 4 + length
        if position > len(extra) or kind in fields:
            raise refused_archive(archive, "an extra field of one of its entries is broken")
        fields[kind] = extra[position - length : position]
    if NAME_EXTRA in fields and fields[NAME_EXTRA][5:] != name.encode():
        raise refused_archive(archive, f"an extra field gives its entry {name[:80]!a} another name")
    return fields


def large_numbers(archive: str, extra: dict[int, bytes], small: tuple[int, ...]) -> list[int]:
    """Return numbers of 32 bits, those that are all ones replaced from the ZIP64 field, in its order."""
    large = struct.iter_unpack("<Q", extra.get(LARGE_EXTRA, b"")[: 8 * len(small)])
    try:
        return [next(large)[0] if number == ALL_ONES_32 else number for number in small]
    except StopIteration:
        raise refused_archive(archive, "one of its entries lacks its length") from None


def unreadable_zip(archive: str) -> Exception:
    """Return the error for a file that no reader takes for a zip."""
    return refused_archive(archive, "it is not a zip file that can be read")
