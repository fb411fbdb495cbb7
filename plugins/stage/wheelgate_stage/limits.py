"""Limits for uploaded archives. An archive beyond a limit is refused, so that no upload can stop the server."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wheelgate.errors import BadInput

MAX_CORE_METADATA_BYTES = 4 << 20
"""Core metadata of an archive; a description of a megabyte is a book."""
MAX_ONE_TAR_HEADER_BYTES = 64 << 10
"""One header of a tar."""
MAX_TAR_HEADER_BYTES_PER_ENTRY = 2048
"""An entry of a tar has 512 bytes, and 1024 or 1536 more with an extended header."""
MAX_ZIP_DIRECTORY_BYTES_PER_ENTRY = 192
"""An entry of a zip's directory has 46 bytes, its path, and sometimes some 30 bytes of times and owners."""
DEFAULT_MAX_ARCHIVE_ENTRIES = 120_000
"""Twice as many as the largest known release has."""
MAX_CONFIGURED_ARCHIVE_ENTRIES = 10_000_000
"""The highest value of ``--max-archive-entries``."""
MAX_GLOBAL_TAR_RECORDS = 100
"""Records in all global headers of a tar; git writes one, with the commit."""
MIN_BOMB_ENTRIES = 1000
"""Entries of a tar up to which any compression is accepted."""
MIN_PACKED_BYTES_PER_ENTRY = 10
"""Packed bytes for each entry of a tar. Empty files with similar names have 20, so that 32 KB hold 3,000 entries."""
MAX_TAR_BYTES = 512 << 20
"""How far a tar is unpacked, in memory: some two seconds of one core. The rest of a larger one is not checked."""
MAX_ZIP_CHECKED_BYTES = 512 << 20
"""How much of a zip is unpacked, in memory, to compare its checksums. Entries beyond that are not compared."""
MIN_BOMB_BYTES = 64 << 20
"""The unpacked size up to which any compression is accepted."""
MAX_COMPRESSION_RATIO = 100
"""Unpacked size by packed size; code has 5, logs and test data up to 40."""
UNSAFE_NAMES = (
    (re.compile(r"(?:^|/)\.\.(?:/|$)|^/"), "leads out of the archive's own folder"),
    (re.compile(r"^[A-Za-z]:|\\"), "would be unpacked to another place on Windows"),
    (re.compile(r"\0"), "contains NUL"),
)
"""Names of entries that are refused, and why."""
MAX_ENTRY_NAME_CHARS = 1000
"""Characters of the name of an entry, with its folders."""
MAX_ENTRY_FOLDERS = 50
"""Nested folders in the name of an entry."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """The size of an archive that the server opens, by ``--max-archive-entries``."""

    max_entries: int

    @property
    def max_tar_headers_bytes(self) -> int:
        """Bytes of all headers of a tar."""
        return self.max_entries * MAX_TAR_HEADER_BYTES_PER_ENTRY

    @property
    def max_zip_directory_bytes(self) -> int:
        """Bytes of the directory of a zip."""
        return self.max_entries * MAX_ZIP_DIRECTORY_BYTES_PER_ENTRY

    def check_entries(self, archive: str, entries: int) -> None:
        """Raise ``BadInput`` if an archive has more entries than allowed."""
        if entries > self.max_entries:
            raise self.exceeded(archive, f"it has more than {self.max_entries} entries")

    def exceeded(self, archive: str, why: str) -> BadInput:
        """Return the error for an archive that is larger than the setting allows."""
        return refused_archive(archive, why, "ask the administrator for a higher --max-archive-entries")


def check_entry_name(archive: str, name: str, what: str = "entry") -> None:
    """Raise ``BadInput`` if an entry could be unpacked to another place than its folder, or its name is too long."""
    why = next((why for pattern, why in UNSAFE_NAMES if pattern.search(name)), "")
    if len(name) > MAX_ENTRY_NAME_CHARS:
        why = f"has more than {MAX_ENTRY_NAME_CHARS} characters"
    elif name.count("/") > MAX_ENTRY_FOLDERS:
        why = f"is in more than {MAX_ENTRY_FOLDERS} nested folders"
    if why:
        raise refused_archive(archive, f"its {what} {name[:80]!a} {why}")


def check_ratio(archive: str, unpacked: int, packed: int) -> None:
    """Raise ``BadInput`` if an archive is compressed as strongly as only zip bombs are. Both sizes are in bytes."""
    if unpacked > MIN_BOMB_BYTES and unpacked > MAX_COMPRESSION_RATIO * packed:
        raise refused_archive(
            archive, f"it unpacks to more than {MAX_COMPRESSION_RATIO} times its size, as zip bombs do"
        )


def invalid_metadata(archive: str, what: str) -> BadInput:
    """Return the error for core metadata that are refused; ``what`` continues "the metadata in ..."."""
    return BadInput(f"the metadata in '{archive}' {what}; build it again and repeat the upload")


def refused_archive(archive: str, why: str, advice: str = "build it again and repeat the upload") -> BadInput:
    """Return the error for an archive that is refused."""
    return BadInput(f"'{archive}' is refused: {why}; {advice}")
