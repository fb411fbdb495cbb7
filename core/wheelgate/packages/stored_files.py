"""What plugins see of files: one that is kept, one that is being written, one that is still growing."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is kept under its hash."""

    sha256: str
    """Hexadecimal."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class DraftFile:
    """A file that was received whole and is not kept yet; it may be read, and is gone after the request."""

    path: str
    """Where it lies; empty if it is in memory only."""
    stored: StoredFile
    """What it will be once it is kept."""
    hashes: Mapping[str, str]
    """Hexadecimal, by name: ``sha256``, and what else was asked for when it was begun."""
    content: bytes | None = field(default=None, repr=False)
    """Its bytes, if they came in one piece."""

    def open(self) -> BinaryIO:
        """Open it for reading: from memory, if it is there."""
        return io.open(self.path, "rb") if self.content is None else io.BytesIO(self.content)  # noqa: UP020


class Draft(Protocol):
    """A file that is being received."""

    def write(self, chunk: bytes) -> None:
        """Append to it. Raises ``StorageFull`` if the disk is full."""

    def finish(self) -> DraftFile:
        """Return what was received."""

    def discard(self) -> None:
        """Give up what did not arrive whole. Does nothing to a draft that is finished: that one is released."""


class Growing(Protocol):
    """A file that is being fetched, and may be read meanwhile, by any process of this machine."""

    @property
    def path(self) -> Path:
        """Where its bytes grow; once all of it is there, they are read from the stored file."""

    @property
    def size(self) -> int | None:
        """Bytes that it will have; None if nobody knows."""

    def available(self) -> tuple[int, bool]:
        """Return how many bytes may be read now, and whether that is all. Never waits.

        The last byte is held back until the whole file has proven good: nobody can take a bad one for whole.

        Raises:
            BackendUnavailable: it will never be whole; ``BadUpstream`` and ``UpstreamTimeout`` say why.
        """

    def stored(self) -> StoredFile:
        """Return what it has become, once all of it is there."""
