"""Source distributions, unpacked in memory as a stream, as far as it takes to read their core metadata."""

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
    LONGEST_HEAD,
    LONGEST_METADATA,
    MOST_ENTRIES,
    MOST_HEADS,
    MOST_UNPACKED,
    broken,
    refuse_name,
    refuse_ratio,
)

FAULTS = (tarfile.TarError, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, RecursionError)
"""What ``tarfile`` raises for broken archives; a RecursionError for headers that announce headers without end."""
PIECE = 1 << 20
GZIP = b"\x1f\x8b"
PAX = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE}
LONG_NAMES = {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
RECORD = re.compile(rb"(\d{1,5}) ([^=]{1,200})=")
"""Of an extended header: the length of the whole record, and its key."""
DIGITS = re.compile(rb"\d{100}")
"""More than any number, hash or time has."""
PKG_INFO = re.compile(r"(?:\./)?[^/]+/PKG-INFO")


class Heads:
    """Looks at the headers of a tar before ``tarfile`` does, which takes hours for some of a few kilobytes.

    Its patterns for extended headers take time with the square of their length (CVE-2024-6232), and the maps of
    sparse files all the memory that there is.
    """

    def __init__(self, archive: str) -> None:
        self._archive = archive
        self._read = 0
        self._kind = b""

    def check(self, block: bytes) -> None:
        """Raise ``BadInput`` if what follows in the archive is no honest header."""
        self._read += len(block)
        if self._read > MOST_HEADS:
            raise broken(self._archive, f"its headers have more than {MOST_HEADS >> 20} MiB")
        if self._kind in PAX:
            if not self._is_pax(block):
                raise broken(self._archive, "one of its extended headers is not as POSIX wants it")
            self._kind = b""
        elif self._kind in LONG_NAMES:
            self._kind = b""
        else:
            self._kind = block[156:157]
            if self._kind == tarfile.GNUTYPE_SPARSE:
                raise broken(self._archive, "it holds a sparse file")

    @staticmethod
    def _is_pax(block: bytes) -> bool:
        """Say whether an extended header is a list of records that cover it, and holds nothing of sparse files."""
        position, end = 0, len(block.rstrip(b"\0"))
        while position < end:
            record = RECORD.match(block, position)
            if record is None or record[2].startswith(b"GNU.sparse"):
                return False
            position += int(record[1])
            if block[position - 1 : position] != b"\n" or record.end() > position:
                return False
        return position == end and not DIGITS.search(block)


class Unpacking:
    """The content of a gzip file, read forwards only, as ``tarfile`` wants it: it believes every length it is told."""

    def __init__(self, archive: str, file: BinaryIO) -> None:
        self._archive = archive
        self._heads = Heads(archive)
        self._file = file
        self._unpack = _gunzip()
        self._packed = b""
        self._taken = 0
        self._buffer = io.BytesIO()
        self._position = 0

    def tell(self) -> int:
        """Return how many bytes have been read."""
        return self._position

    def seek(self, position: int) -> None:
        """Go forward. Raise ``BadInput`` if a lying header makes that a way back."""
        if position < self._position:
            raise broken(self._archive, "one of its headers gives an impossible length")
        while self._position < position and self._take(min(PIECE, position - self._position)):
            pass

    def read(self, size: int) -> bytes:
        """Read headers. Raise ``BadInput`` if that is more than any honest one asks for, or not to be passed on."""
        if not 0 <= size <= LONGEST_HEAD:
            raise broken(self._archive, "one of its headers gives an impossible length")
        content = self.content(size)
        self._heads.check(content)
        return content

    def content(self, size: int) -> bytes:
        """Read the content of an entry."""
        parts = []
        while size and (part := self._take(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _take(self, size: int) -> bytes:
        """Return the next bytes, at most so many; none at the end."""
        part = self._buffer.read(size)
        if not part:
            self._buffer = io.BytesIO(self._unpacked())
            part = self._buffer.read(size)
        self._position += len(part)
        return part

    def _unpacked(self) -> bytes:
        """Unpack the next piece; none at the end."""
        while True:
            if self._unpack.eof:
                self._packed = self._unpack.unused_data or self._file.read(PIECE)
                if not self._packed.startswith(GZIP):  # else another file follows, which is part of this one
                    return b""
                self._unpack = _gunzip()
            packed = self._packed or self._file.read(PIECE)
            piece: bytes = self._unpack.decompress(packed, PIECE)
            self._taken += len(packed) - len(self._unpack.unconsumed_tail)
            self._packed = self._unpack.unconsumed_tail
            refuse_ratio(self._archive, self._position + len(piece), self._taken)
            if piece:
                return piece
            if not packed:
                raise EOFError

    def finish(self) -> None:
        """Read what is left, so that damage is noticed, unless it is too much."""
        while self._position <= MOST_UNPACKED and self._take(PIECE):
            pass


def _gunzip() -> Any:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def tar_metadata(archive: str, draft: ReceivedFile) -> bytes:
    """Return the core metadata in a ``.tar.gz`` file; ``archive`` is what it is called in sentences.

    Raises:
        BadInput: there are none, or the archive is broken or beyond a limit.
    """
    try:
        with draft.open() as file:
            found = _search(archive, Unpacking(archive, file))
    except FAULTS as error:
        raise broken(archive, "it is not a .tar.gz file that can be read") from error
    if found is None:
        raise broken(archive, "it holds no NAME-VERSION/PKG-INFO")
    return found


def _search(archive: str, unpacking: Unpacking) -> bytes | None:
    """Look at all entries, so that a damaged archive is noticed, and return the core metadata."""
    found = None
    count = 0
    opened = tarfile.open(fileobj=unpacking, mode="r:")  # type: ignore[call-overload]  # noqa: SIM115 - holds nothing
    while unpacking.tell() <= MOST_UNPACKED and (entry := opened.next()) is not None:
        opened.members.clear()  # they would be kept, and nobody asks for them
        count += 1
        if count > MOST_ENTRIES:
            raise broken(archive, f"it has more than {MOST_ENTRIES} entries")
        _refuse_entry(archive, entry)
        if PKG_INFO.fullmatch(entry.name):
            if found is not None:
                raise broken(archive, "it holds more than one NAME-VERSION/PKG-INFO")
            if not entry.isreg():
                raise broken(archive, "its PKG-INFO is not a regular file")
            if entry.size > LONGEST_METADATA:
                raise broken(archive, f"its PKG-INFO is longer than {LONGEST_METADATA >> 20} MiB")
            found = unpacking.content(entry.size)
            if len(found) < entry.size:
                raise EOFError
    unpacking.finish()
    return found


def _refuse_entry(archive: str, entry: tarfile.TarInfo) -> None:
    """Refuse what would be unpacked to somewhere else, or be no file."""
    refuse_name(archive, entry.name)
    if entry.islnk():
        refuse_name(archive, entry.linkname)
    elif entry.issym():
        depth = len(PurePosixPath(entry.name).parts) - 1
        for part in PurePosixPath(entry.linkname).parts:
            depth += -1 if part == ".." else 1
            if depth < 1 or part == "/":
                raise broken(archive, f"its link {entry.name[:80]!a} leads out of the archive")
    elif not (entry.isreg() or entry.isdir()):
        raise broken(archive, f"its entry {entry.name[:80]!a} is neither a file nor a folder nor a link")
