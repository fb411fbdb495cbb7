"""Copies package files from one store to another: into a backup, and back."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from wheelgate.disk import make_private_folder, sync
from wheelgate.errors import Damaged
from wheelgate.files.backends import READ_BUFFER_BYTES, FileBackend, buffered, path_in_store
from wheelgate.files.incoming import IncomingFolder
from wheelgate.packages import StoredFile


@dataclass(slots=True)
class CopiedFiles:
    """The result of a run."""

    copied: int = 0
    linked: int = 0
    present: int = 0
    """Files that were there before."""
    absent: list[StoredFile] = field(default_factory=list)
    """Files that the source does not have, or has with another size."""
    damaged: list[StoredFile] = field(default_factory=list)
    """Files whose content has another hash."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where files can be linked instead of copied."""

    sources: Sequence[Path]
    """Folders that may have a file already."""
    target: Path
    """The folder that gets the links."""


class FileCopies:
    """Copies files from a store, or links them where that is possible."""

    def __init__(self, source: FileBackend, target: FileBackend, drafts: Path, links: Links | None = None) -> None:
        """Take the stores.

        Args:
            source: the store with the files.
            target: the store that gets them.
            drafts: the folder for files that are being copied, on the file system of the target if that is a folder.
            links: where files can be linked instead of copied.
        """
        self._source = source
        self._target = target
        self._incoming = IncomingFolder(drafts)
        self._links = links

    def copy(self, wanted: Iterable[StoredFile]) -> CopiedFiles:
        """Copy the wanted files that the target does not have; a copy is there as a whole or not at all.

        Raises:
            StorageFull: no space is left.
            BackendUnavailable: a disk or an object store fails.
        """
        result = CopiedFiles()
        for stored in wanted:
            if self._target.size(stored.sha256) == stored.size:
                result.present += 1
            elif self._links and any(link(stored, source, self._links.target) for source in self._links.sources):
                result.linked += 1
            else:
                self._copy(stored, result)
        return result

    def _copy(self, stored: StoredFile, result: CopiedFiles) -> None:
        """Copy a file, and note what became of it."""
        if self._source.size(stored.sha256) != stored.size:
            result.absent.append(stored)
            return
        incoming = self._incoming.receive(())
        try:
            with buffered(self._source.open(stored), stored.size) as file:
                while chunk := file.read(READ_BUFFER_BYTES):
                    incoming.write(chunk)
            received = incoming.finish()
        except Damaged:  # it was removed in the meantime
            result.absent.append(stored)
            return
        finally:
            incoming.discard()
        try:
            if received.stored != stored:
                result.damaged.append(stored)
                return
            self._target.put(received)
            self._target.sync(received)
        finally:
            Path(received.path).unlink()
        result.copied += 1


def link(stored: StoredFile, source: Path, target: Path) -> bool:
    """Link a file of one folder into another one; return False if that is not possible."""
    name = path_in_store(stored.sha256)
    here, there = source / name, target / name
    with suppress(OSError):  # the other file system, too many links, or no such file
        if here.stat(follow_symlinks=False).st_size == stored.size:
            make_private_folder(there.parent)
            os.link(here, there, follow_symlinks=False)
            sync(there.parent)
            return True
    return False
