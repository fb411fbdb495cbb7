"""Files on their way in: written and hashed chunk by chunk, in a folder of their own until they are kept or dropped.

A draft that was received whole carries its sha256 in its name. Whoever finds one after a crash knows so which stored
file may have come of it without anybody recording it, and need not look through all of them.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from wheelgate.files import faults
from wheelgate.files.local import make_private
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
        path = self.folder / f"{uuid4().hex}{PARTIAL}"
        with faults.told():
            try:
                descriptor = _create(path)
            except FileNotFoundError:
                make_private(self.folder)
                descriptor = _create(path)
        return WrittenDraft(path, descriptor, also)

    def leftovers(self) -> Iterator[tuple[Path, str]]:
        """Find every draft there is, each with the sha256 of its content, which is empty if it is not whole."""
        with suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                whole = re.fullmatch(r"([0-9a-f]{64})\.[0-9a-f]+", path.name)
                yield path, whole[1] if whole else ""


class WrittenDraft:
    """A draft as a file that grows."""

    def __init__(self, path: Path, descriptor: int, also: tuple[str, ...]) -> None:
        self.path = path
        """Where it grows, until it is finished."""
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._size = 0
        self._hashers = {name: HASHES[name]() if name in HASHES else hashlib.new(name) for name in ("sha256", *also)}

    def write(self, chunk: bytes) -> None:
        """Append to it."""
        rest = memoryview(chunk)
        with faults.told():
            while rest:
                rest = rest[self._file.write(rest) :]
        self._size += len(chunk)
        for hasher in self._hashers.values():
            hasher.update(chunk)

    def finish(self) -> DraftFile:
        """Return what was received, safely on disk."""
        hashes = {name: hasher.hexdigest() for name, hasher in self._hashers.items()}
        with faults.told():
            os.fsync(self._file.fileno())
            self._file.close()
            path = self.path.rename(self.path.with_name(f"{hashes['sha256']}.{self.path.stem}"))
        return DraftFile(path, StoredFile(hashes["sha256"], self._size), MappingProxyType(hashes))

    def discard(self) -> None:
        """Give up what did not arrive whole. Does nothing to a draft that is finished."""
        self._file.close()
        with suppress(OSError):
            self.path.unlink()


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
