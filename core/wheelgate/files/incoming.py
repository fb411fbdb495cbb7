"""Files on their way in: written and hashed chunk by chunk, in a folder of their own until they are kept or dropped.

A draft that was received whole carries its sha256 in its name. Whoever finds one after a crash knows so which stored
file may have come of it without anybody recording it, and need not look through all of them.
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

from wheelgate.files import errors as faults
from wheelgate.files.local import create, make_private, write_all
from wheelgate.packages import DraftFile, StoredFile

HASHES: dict[str, Callable[[], Any]] = {
    "sha256": hashlib.sha256,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "blake2_256": lambda: hashlib.blake2b(digest_size=32),
}
"""By the names that the upload form has for them; others are named as ``hashlib`` does."""
PARTIAL = ".part"


class Drafts:
    """The folder of drafts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, also: tuple[str, ...]) -> WrittenDraft:
        """Make an empty draft, readable by the server's owner only."""
        path = self.folder / f"{secrets.token_hex(8)}{PARTIAL}"
        with faults.told():
            make_private(self.folder)
            return WrittenDraft(path, create(path), also)

    def leftovers(self) -> Iterator[tuple[Path, list[str]]]:
        """Find every draft there is, each with the sha256 of its content, if it is whole."""
        with suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                whole = re.fullmatch(r"([0-9a-f]{64})\.[0-9a-f]+", path.name)
                yield path, [whole[1]] if whole else []


class WrittenDraft:
    """A draft as a file that grows."""

    def __init__(self, path: Path, descriptor: int, also: tuple[str, ...]) -> None:
        self.path = path
        """Where it grows, until it is finished."""
        self._descriptor = descriptor
        self._size = 0
        self._hashers = new_hashers(also)

    def write(self, chunk: bytes) -> None:
        """Append to it."""
        with faults.told():
            write_all(self._descriptor, chunk)
        self._size += len(chunk)
        for hasher in self._hashers.values():
            hasher.update(chunk)

    def finish(self) -> DraftFile:
        """Return what was received. It is on the disk once it is kept."""
        hashes = {name: hasher.hexdigest() for name, hasher in self._hashers.items()}
        with faults.told():
            self._close()
            path = self.path.rename(self.path.with_name(f"{hashes['sha256']}.{self.path.stem}"))
        return DraftFile(str(path), StoredFile(hashes["sha256"], self._size), MappingProxyType(hashes))

    def discard(self) -> None:
        """Give up what did not arrive whole. Does nothing to a draft that is finished."""
        with suppress(OSError):
            self._close()
            self.path.unlink()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def new_hashers(also: tuple[str, ...]) -> dict[str, Any]:
    """Return what computes sha256 and the other hashes."""
    return {name: HASHES[name]() if name in HASHES else hashlib.new(name) for name in ("sha256", *also)}


def in_memory(content: bytes, also: tuple[str, ...]) -> DraftFile:
    """Return what has come in one piece as a draft that needs no file."""
    hashers = new_hashers(also)
    for hasher in hashers.values():
        hasher.update(content)
    hashes = {name: hasher.hexdigest() for name, hasher in hashers.items()}
    return DraftFile("", StoredFile(hashes["sha256"], len(content)), MappingProxyType(hashes), content)
