"""Reads the core metadata in a wheel, for upstreams that announce them and do not have them next to the file."""

from __future__ import annotations

import lzma
import os
import re
import struct
import zipfile
import zlib
from typing import BinaryIO

MAX_METADATA_FILE_BYTES = 16 << 20
"""The largest metadata file, next to a wheel (PEP 658) or in it."""
MAX_ZIP_DIRECTORY_BYTES = 4 << 20
"""The largest directory of a wheel that is read; 12,000 files take about a megabyte."""
MAX_ZIP_TAIL_BYTES = 65_557
"""How far from the end the end record can begin: its 22 bytes, and a comment."""
END_RECORD = struct.Struct("<4s4xH2xI")
"""Signature, number of files on this disk, and bytes of the directory (APPNOTE.TXT of PKWARE, section 4.3.16)."""
ZIP64_LOCATOR_BYTES = 20
METADATA_ENTRY = re.compile(r"[^/]+\.dist-info/METADATA")
UNREADABLE = (zipfile.BadZipFile, RuntimeError, ValueError, EOFError, OSError, zlib.error, lzma.LZMAError, struct.error)
"""What ``zipfile`` raises for damaged, encrypted and unknown archives."""


def read_wheel_metadata(wheel: BinaryIO) -> bytes | None:
    """Return the content of ``METADATA`` in a wheel; None if it has none, or several, or cannot be read."""
    try:
        if not _has_small_directory(wheel):
            return None
        with zipfile.ZipFile(wheel) as archive:
            entries = [entry for entry in archive.infolist() if METADATA_ENTRY.fullmatch(entry.filename)]
            if len(entries) != 1 or entries[0].file_size > MAX_METADATA_FILE_BYTES:
                return None
            with archive.open(entries[0]) as member:
                content = member.read(MAX_METADATA_FILE_BYTES + 1)
    except UNREADABLE:
        return None
    return content if len(content) <= MAX_METADATA_FILE_BYTES else None


def _has_small_directory(wheel: BinaryIO) -> bool:
    """Return whether the directory is small enough to read: ``zipfile`` makes an object for each entry."""
    size = wheel.seek(0, os.SEEK_END)
    wheel.seek(max(0, size - MAX_ZIP_TAIL_BYTES - ZIP64_LOCATOR_BYTES))
    tail = wheel.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or tail[max(0, at - ZIP64_LOCATOR_BYTES) :].startswith(b"PK\x06\x07"):
        return False
    _, _, directory_bytes = END_RECORD.unpack_from(tail, at)
    return int(directory_bytes) <= MAX_ZIP_DIRECTORY_BYTES
