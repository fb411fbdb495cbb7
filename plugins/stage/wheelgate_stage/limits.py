"""Limits for uploaded archives. An archive beyond a limit is refused, so that no upload can stop the server."""

from __future__ import annotations

import re

from wheelgate.errors import BadInput

MAX_CORE_METADATA_BYTES = 4 << 20
"""Core metadata of an archive; a description of a megabyte is a book."""
MAX_ZIP_DIRECTORY_BYTES = 4 << 20
"""Bytes read of a zip in addition to the metadata: some 40,000 entries, twice as many as the largest wheels have."""
MAX_ONE_TAR_HEADER_BYTES = 64 << 10
"""One header of a tar."""
MAX_ALL_TAR_HEADERS_BYTES = 48 << 20
"""All headers of a tar; an entry has 512 bytes, and 1024 more with an extended header."""
MAX_ARCHIVE_ENTRIES = 50_000
"""Entries of a zip or tar."""
MAX_TAR_BYTES = 512 << 20
"""How far a tar is unpacked, in memory: some two seconds of one core. The rest of a larger one is not checked."""
MIN_BOMB_BYTES = 64 << 20
"""The unpacked size up to which any compression is accepted."""
MAX_COMPRESSION_RATIO = 100
"""Unpacked size by packed size; code has 5, logs and test data up to 40."""
UNSAFE_NAME = re.compile(r"(?:^|/)\.\.(?:/|$)|^/|^[A-Za-z]:|[\\\0]")
"""The name of an entry that would be unpacked outside of its folder, on one system or another."""
MAX_ENTRY_NAME_CHARS = 1000
"""Characters of the name of an entry, with its folders."""
MAX_ENTRY_FOLDERS = 50
"""Nested folders in the name of an entry."""


def check_entry_name(archive: str, name: str) -> None:
    """Raise ``BadInput`` if an entry would be unpacked to another place than its folder."""
    if UNSAFE_NAME.search(name) or len(name) > MAX_ENTRY_NAME_CHARS or name.count("/") > MAX_ENTRY_FOLDERS:
        raise refused_archive(archive, f"its entry {name[:80]!a} would not be unpacked into the archive's own folder")


def check_ratio(archive: str, unpacked: int, packed: int) -> None:
    """Raise ``BadInput`` if an archive is compressed as strongly as only zip bombs are. Both sizes are in bytes."""
    if unpacked > MIN_BOMB_BYTES and unpacked > MAX_COMPRESSION_RATIO * packed:
        raise refused_archive(
            archive, f"it unpacks to more than {MAX_COMPRESSION_RATIO} times its size, as only zip bombs do"
        )


def refused_archive(archive: str, why: str) -> BadInput:
    """Return the error for an archive that is refused."""
    return BadInput(f"'{archive}' is refused: {why}; build it again and repeat the upload")
