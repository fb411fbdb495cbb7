"""How far an uploaded archive is looked into; what goes beyond is refused, so that no upload stops the server."""

from __future__ import annotations

import re

from wheelgate.errors import BadInput

LONGEST_METADATA = 4 << 20
"""Bytes of core metadata; a description of a megabyte is a book."""
LONGEST_DIRECTORY = 4 << 20
"""Bytes that are read of a zip beside the metadata: some 40,000 entries, twice what the largest wheels have."""
LONGEST_HEAD = 64 << 10
"""Bytes of the headers of one entry of a tar."""
MOST_HEADS = 48 << 20
"""Bytes of all headers of a tar; an entry has 512, and 1024 more with an extended header."""
MOST_ENTRIES = 50_000
MOST_UNPACKED = 512 << 20
"""Bytes up to which a tar is unpacked: some two seconds of one core. What follows is not looked at."""
UNSUSPECTED = 64 << 20
"""Bytes up to which it does not matter how well something is compressed."""
MOST_RATIO = 100
"""Unpacked by packed; code has 5, logs and test data up to 40."""
EVIL = re.compile(r"(?:^|/)\.\.(?:/|$)|^/|^[A-Za-z]:|[\\\0]")
"""A name that leaves the folder into which an archive is unpacked, on one system or another."""
LONGEST_NAME = 1000
DEEPEST = 50
"""Folders within folders."""


def refuse_name(archive: str, name: str) -> None:
    """Raise ``BadInput`` if an entry would be unpacked to somewhere else."""
    if EVIL.search(name) or len(name) > LONGEST_NAME or name.count("/") > DEEPEST:
        raise broken(archive, f"its entry {name[:80]!a} would not be unpacked into the archive's own folder")


def refuse_ratio(archive: str, unpacked: int, packed: int) -> None:
    """Raise ``BadInput`` if so much comes out of so little that only a bomb does that."""
    if unpacked > UNSUSPECTED and unpacked > MOST_RATIO * packed:
        raise broken(archive, f"it unpacks to more than {MOST_RATIO} times its size, as only zip bombs do")


def broken(archive: str, why: str) -> BadInput:
    """Return what somebody is told whose archive is refused."""
    return BadInput(f"'{archive}' is refused: {why}; build it again and repeat the upload")
