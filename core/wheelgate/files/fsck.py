"""Compares the stored files with the records, and repairs the differences."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wheelgate.files.backends import READ_BUFFER_BYTES, FileBackend, buffered, path_in_store
from wheelgate.files.garbage import GarbageCollector
from wheelgate.files.incoming import PARTIAL_SUFFIX
from wheelgate.packages import StoredFile
from wheelgate.store.database import Database


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between the stored files and the records."""

    subject: str
    """The address of the file, ``owner/index/+f/…``, or its path in the store."""
    problem: str
    repaired: bool


class FileCheck:
    """One check of all files."""

    def __init__(
        self,
        backend: FileBackend,
        garbage: GarbageCollector,
        leftovers: Callable[[], Iterable[tuple[Path, Sequence[str]]]],
        database: Database,
        *,
        hashes: bool,
        repair: bool,
        grace: float,
    ) -> None:
        """Prepare a check.

        Args:
            backend: the stored files.
            garbage: knows the package sources, and removes unreferenced files.
            leftovers: returns the files that interrupted uploads have left, with the hashes that they name.
            database: for the transactions of repairs.
            hashes: True to read every file and compare its hash; False to compare sizes only.
            repair: True to remove unreferenced files, and to set damaged ones aside.
            grace: seconds for which a file may have no record: another node may be about to record it.
        """
        self._backend = backend
        self._garbage = garbage
        self._leftovers = leftovers
        self._database = database
        self._hashes = hashes
        self._repair = repair
        self._grace = grace
        self.checked = 0
        """The number of checked files that have a record."""

    @property
    def complete(self) -> bool:
        """Whether the plugin of every index is loaded; without it, the files that its indices need are unknown."""
        return self._garbage.complete()

    def findings(self) -> Iterator[Finding]:
        """Return the differences, each after its repair if repairs are wanted."""
        problems: dict[str, str] = {}
        for source in self._garbage.sources():
            for stored, label in list(source.stored_files()):
                if stored.sha256 not in problems:
                    problems[stored.sha256] = self._problem(stored)
                    if problems[stored.sha256] and self._repair:
                        self._set_aside(stored.sha256)
                if problem := problems[stored.sha256]:
                    yield Finding(label, problem, self._repair)
        self.checked = len(problems)
        for path, hashes in self._leftovers():
            if self._repair:
                for sha256 in hashes:
                    self._garbage.remove_unreferenced(sha256)
                path.unlink(missing_ok=True)
            if hashes or path.suffix == PARTIAL_SUFFIX:  # every process that is killed leaves an empty journal
                found = f"{path.parent.name}/{path.name}"
                yield Finding(found, "left by an upload that was interrupted", self._repair)
        yield from self._unreferenced(problems)

    def _unreferenced(self, known: Collection[str]) -> Iterator[Finding]:
        """Return the files in the store that no record refers to."""
        if not self.complete:
            return
        until = time.time() - self._grace
        for path, stored_at in list(self._backend.list_files()):
            sha256 = path.replace("/", "")
            proper = re.fullmatch("[0-9a-f]{64}", sha256) and path == path_in_store(sha256)
            if stored_at > until or (proper and (sha256 in known or self._garbage.referenced(sha256))):
                continue
            if self._repair and proper:
                self._garbage.remove_unreferenced(sha256)
            elif self._repair:
                self._backend.remove(path)
            yield Finding(path, "no package needs it" if proper else "is not a stored file", self._repair)

    def _problem(self, stored: StoredFile) -> str:
        """Return a description of the damage to a stored file; empty if it is intact."""
        size = self._backend.size(stored.sha256)
        if size is None:
            return "it is missing"
        if size != stored.size:
            return f"it has {size} bytes instead of {stored.size}"
        if self._hashes:
            with buffered(self._backend.open(stored), size) as file:
                hasher = hashlib.sha256()
                while chunk := file.read(READ_BUFFER_BYTES):
                    hasher.update(chunk)
                if hasher.hexdigest() != stored.sha256:
                    return "its content has another hash"
        return ""

    def _set_aside(self, sha256: str) -> None:
        """Move a damaged file out of the store, and tell the sources that it is lost."""
        if self._backend.size(sha256) is not None:
            self._backend.set_aside(sha256)
        with self._database.transaction():
            for source in self._garbage.sources():
                source.mark_lost(sha256)
