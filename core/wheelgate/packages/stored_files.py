"""Files of packages as plugins see them: stored, being received, or being downloaded."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the server's file storage, under its hash."""

    sha256: str
    """Hexadecimal."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class ReceivedFile:
    """A file that was received completely but is not stored yet. It can be read, and is removed after the request."""

    path: str
    """Its path on the disk; empty if it is in memory only."""
    stored: StoredFile
    """The stored file that it becomes."""
    hashes: Mapping[str, str]
    """Hexadecimal digests by name: ``sha256``, and those that the caller of ``receive`` or ``from_bytes`` named."""
    content: bytes | None = field(default=None, repr=False)
    """Its bytes, if it was received in one piece; None if it is on the disk."""

    def open(self) -> BinaryIO:
        """Open it for reading."""
        return io.open(self.path, "rb") if self.content is None else io.BytesIO(self.content)  # noqa: UP020


class IncomingFile(Protocol):
    """A file that is being received."""

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raise ``StorageFull`` if the disk is full."""

    def finish(self) -> ReceivedFile:
        """Return the received file. Call it after the last byte."""

    def discard(self) -> None:
        """Remove an incomplete file. Does nothing after :meth:`finish`: pass the received file to ``clean_up``."""


class OngoingDownload(Protocol):
    """A file that the server is downloading. Any process of this machine can read the bytes that have arrived."""

    @property
    def path(self) -> Path:
        """The growing file. Once it is complete, read the stored file instead."""

    @property
    def size(self) -> int | None:
        """Bytes of the complete file; None if the upstream does not say."""

    def available(self) -> tuple[int, bool]:
        """Return how many bytes can be read now, and whether the file is complete. Never waits.

        The last byte is held back until the hash of the complete file is verified, so that no client takes a damaged
        file for a complete one.

        Raises:
            BackendUnavailable: the download failed; ``BadUpstream`` and ``UpstreamTimeout`` say why.
        """

    def stored(self) -> StoredFile:
        """Return the stored file, once the download is complete."""
