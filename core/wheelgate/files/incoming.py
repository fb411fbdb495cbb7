"""Files that are being received: written and hashed chunk by chunk, in a folder of their own until they are stored.

The name of a completely received file contains its sha256. After a crash, the name tells the next start which
stored file may exist without a record, so that it does not have to search all of them.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wheelgate.disk import create_private_file, make_private_folder, write_all
from wheelgate.files.errors import translated
from wheelgate.packages import ReceivedFile, StoredFile

HASHES: dict[str, Callable[[], Any]] = {
    "sha256": hashlib.sha256,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "blake2_256": lambda: hashlib.blake2b(digest_size=32),
}
"""Hashes by their names in the upload form; all others have the same name in ``hashlib``."""
PARTIAL_SUFFIX = ".part"


class IncomingFolder:
    """The folder of incoming files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def receive(self, hashes: tuple[str, ...]) -> LocalIncomingFile:
        """Create an empty file; ``hashes`` names the hashes to compute in addition to sha256."""
        path = self.folder / f"{secrets.token_hex(8)}{PARTIAL_SUFFIX}"
        with translated():
            make_private_folder(self.folder)
            return LocalIncomingFile(path, create_private_file(path), hashes)

    def leftovers(self) -> Iterator[tuple[Path, list[str]]]:
        """Return every file in the folder; the list has the sha256 of a completely received one, and else is empty."""
        with suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                complete = re.fullmatch(r"([0-9a-f]{64})\.[0-9a-f]+", path.name)
                yield path, [complete[1]] if complete else []


class LocalIncomingFile:
    """An incoming file on the disk."""

    def __init__(self, path: Path, descriptor: int, hashes: tuple[str, ...]) -> None:
        self.path = path
        """Its path until it is finished."""
        self._descriptor = descriptor
        self._size = 0
        self._hashers = new_hashers(hashes)

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        with translated():
            write_all(self._descriptor, chunk)
        self._size += len(chunk)
        for hasher in self._hashers.values():
            hasher.update(chunk)

    def finish(self) -> ReceivedFile:
        """Return the received file. It need not be on the disk before it is stored."""
        hashes = {name: hasher.hexdigest() for name, hasher in self._hashers.items()}
        with translated():
            self._close()
            path = self.path.rename(self.path.with_name(f"{hashes['sha256']}.{self.path.stem}"))
        return ReceivedFile(str(path), StoredFile(hashes["sha256"], self._size), MappingProxyType(hashes))

    def discard(self) -> None:
        """Remove an incomplete file; does nothing after :meth:`finish`."""
        with suppress(OSError):
            self.path.unlink()
        with suppress(OSError):  # where the disk is full, closing may report what writing did not
            self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def new_hashers(hashes: tuple[str, ...]) -> dict[str, Any]:
    """Return a hasher for sha256 and for each of the named hashes."""
    return {name: HASHES[name]() if name in HASHES else hashlib.new(name) for name in ("sha256", *hashes)}


def received_in_memory(content: bytes, hashes: tuple[str, ...]) -> ReceivedFile:
    """Return a file that was received in one piece, without writing it to the disk."""
    hashers = new_hashers(hashes)
    for hasher in hashers.values():
        hasher.update(content)
    digests = {name: hasher.hexdigest() for name, hasher in hashers.items()}
    return ReceivedFile("", StoredFile(digests["sha256"], len(content)), MappingProxyType(digests), content)
