"""Wheels and other zip files, opened to read their core metadata."""

from __future__ import annotations

import re
import stat
import struct
import unicodedata
import zlib
from collections.abc import Sequence
from typing import BinaryIO

from packaging.version import Version

from wheelgate.packages import ReceivedFile
from wheelgate_stage.limits import (
    MAX_CORE_METADATA_BYTES,
    MAX_ZIP_CHECKED_BYTES,
    ArchiveLimits,
    check_entry_name,
    check_ratio,
    refused_archive,
)
from wheelgate_stage.wheel_layout import check_folders
from wheelgate_stage.zip_directory import ZipDirectory, ZipEntry, read_directory, unreadable_zip
from wheelgate_stage.zip_entries import DEFLATED, STORED, ZipWalk

ZIP_ERRORS = (zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError)
"""What reading a broken zip raises."""
METADATA_PATHS = {
    "wheel": (re.compile(r"[^/]+\.dist-info/METADATA"), "NAME-VERSION.dist-info/METADATA"),
    "zip": (re.compile(r"[^/]+/PKG-INFO"), "NAME-VERSION/PKG-INFO"),
}
"""By the kind of archive: the path of the core metadata, as a pattern and for messages."""
REDUNDANT_PART = re.compile(r"(?:^|/)\.?/|(?:^|/)\.$|^$")
"""A part of a name that says nothing, as in ``./a`` and ``a//b``: some readers drop it, others do not."""
FILE_TYPES = {0, stat.S_IFREG, stat.S_IFDIR}
"""The types of files that a zip may contain; 0 stands for none given."""


def zip_metadata(
    archive: str, received: ReceivedFile, kind: str, project: str, version: Version, limits: ArchiveLimits
) -> bytes:
    """Return the core metadata of a zip file.

    Args:
        archive: the file's name in messages.
        received: the file.
        kind: a key of :data:`METADATA_PATHS`.
        project: the normalised name; the folder of the metadata in a wheel must have it.
        version: the version; the same.
        limits: the limits of archives.

    Raises:
        BadInput: there is none, the archive is broken or beyond a limit, or readers could understand it differently.
    """
    try:
        with received.open() as file:
            directory = _open(archive, file, limits)
            _refuse_clashes(archive, directory.entries)
            wanted = _find_metadata(archive, directory.entries, kind)
            check_folders(archive, [entry.name for entry in directory.entries], kind, wanted.name, project, version)
            content = b""
            budget = MAX_ZIP_CHECKED_BYTES
            walk = ZipWalk(archive, file, directory)
            for entry in walk.entries():
                if entry is wanted:
                    content = b"".join(walk.content(entry))
                elif entry.size <= budget:
                    budget -= sum(len(chunk) for chunk in walk.content(entry))
            return content
    except ZIP_ERRORS as error:
        raise unreadable_zip(archive) from error


def check_zip(archive: str, received: ReceivedFile, limits: ArchiveLimits) -> None:
    """Raise ``BadInput`` if a file is not a valid zip file."""
    try:
        with received.open() as file:
            for _ in ZipWalk(archive, file, _open(archive, file, limits)).entries():
                pass
    except ZIP_ERRORS as error:
        raise unreadable_zip(archive) from error


def _open(archive: str, file: BinaryIO, limits: ArchiveLimits) -> ZipDirectory:
    """Read the directory of a zip file, and check all of its entries."""
    if file.read(4) not in (b"PK\3\4", b"PK\5\6"):  # the second is that of an empty zip file
        raise unreadable_zip(archive)
    directory = read_directory(archive, file, limits)
    for entry in directory.entries:
        check_entry_name(archive, entry.name)
        if REDUNDANT_PART.search(entry.name):
            raise refused_archive(archive, f"its entry {entry.name[:80]!a} has an empty part or '.' in its name")
        if stat.S_IFMT(entry.unix_mode) not in FILE_TYPES:
            raise refused_archive(archive, f"its entry {entry.name[:80]!a} is a link or a device")
    if len({entry.name for entry in directory.entries}) < len(directory.entries):
        raise refused_archive(archive, "two of its entries have the same name")
    sizes = [(entry.size, entry.packed) for entry in directory.entries]
    check_ratio(archive, sum(size for size, _ in sizes), sum(packed for _, packed in sizes))
    return directory


def _find_metadata(archive: str, entries: Sequence[ZipEntry], kind: str) -> ZipEntry:
    """Return the entry with the core metadata."""
    pattern, place = METADATA_PATHS[kind]
    found = [entry for entry in entries if pattern.fullmatch(entry.name)]
    if len(found) != 1:
        raise refused_archive(archive, f"it has {'no' if not found else 'more than one'} {place}")
    if found[0].size > MAX_CORE_METADATA_BYTES:
        raise refused_archive(archive, f"its metadata is longer than {MAX_CORE_METADATA_BYTES >> 20} MiB")
    return found[0]


def _refuse_clashes(archive: str, entries: Sequence[ZipEntry]) -> None:
    """Refuse entries that some installers cannot read, and names that are the same file on some systems."""
    folded: dict[str, str] = {}
    folders: set[str] = set()
    for entry in entries:
        if entry.method not in (STORED, DEFLATED):
            raise refused_archive(
                archive, f"its entry {entry.name[:80]!a} is compressed with a method that not every installer reads"
            )
        key = unicodedata.normalize("NFC", entry.name.removesuffix("/")).casefold()
        other = folded.setdefault(key, entry.name)
        if other != entry.name:
            raise refused_archive(
                archive, f"its entries {other[:80]!a} and {entry.name[:80]!a} are the same file on some systems"
            )
        if entry.name.endswith("/"):
            folders.add(key)
    for key in folded:
        folder = key.rpartition("/")[0]
        while folder and folder not in folders:
            if folder in folded:
                raise refused_archive(archive, f"its entry {folded[folder][:80]!a} is a file and a folder")
            folders.add(folder)
            folder = folder.rpartition("/")[0]
