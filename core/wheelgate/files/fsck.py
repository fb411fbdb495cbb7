"""Compares the stored files with the records, and repairs the differences."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wheelgate.files.backends import READ_BUFFER_BYTES, FileBackend, buffered, stored_hash
from wheelgate.files.garbage import GarbageCollector
from wheelgate.files.incoming import PARTIAL_SUFFIX
from wheelgate.packages import StoredFile
from wheelgate.store.database import Database

MAX_PLAUSIBLE_FINDINGS = 10
"""Files with one kind of difference up to which a disk, a crash or a mistake explains it."""
MAX_PLAUSIBLE_SHARE = 0.1
"""The same as a share of all files. Beyond both, the files and the database do not belong together."""

MISSING = "it is missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between the stored files and the records."""

    subject: str
    """The address of the file, ``owner/index/+f/…``, or its path in the store."""
    problem: str
    repaired: bool


@dataclass(frozen=True, slots=True)
class FileCheckOptions:
    """What a check does."""

    hashes: bool
    """True to read every file and compare its hash; False to compare sizes only."""
    repair: bool
    """True to remove unreferenced files, and to set damaged ones aside."""
    grace: float
    """Seconds for which a file may have no record: another node may be about to record it."""
    accept_losses: bool = False
    """True to repair even if the files and the database do not seem to belong together."""


class FileCheck:
    """One check of all files."""

    def __init__(
        self,
        backend: FileBackend,
        garbage: GarbageCollector,
        leftovers: Callable[[], Iterable[tuple[Path, Sequence[str]]]],
        database: Database,
        options: FileCheckOptions,
    ) -> None:
        """Prepare a check.

        Args:
            backend: the stored files.
            garbage: knows the package sources, and removes unreferenced files.
            leftovers: returns the files that interrupted uploads have left, with the hashes that they name.
            database: for the transactions of repairs.
            options: what the check does.
        """
        self._backend = backend
        self._garbage = garbage
        self._leftovers = leftovers
        self._database = database
        self._options = options
        self.checked = 0
        """The number of checked files that have a record."""
        self.mismatch = ""
        """Why a repair would do harm, as a sentence, once :meth:`findings` has begun; empty if it would not."""

    @property
    def complete(self) -> bool:
        """Whether the plugin of every index is loaded; without it, the files that its indices need are unknown."""
        return self._garbage.complete()

    def findings(self) -> Iterator[Finding]:
        """Return the differences, each after its repair if repairs are wanted and do no harm."""
        recorded = [each for source in self._garbage.sources() for each in source.stored_files()]
        problems: dict[str, str] = {}
        for stored, _ in recorded:
            if stored.sha256 not in problems:
                problems[stored.sha256] = self._problem(stored)
        self.checked = len(problems)
        unneeded, in_store = self._unneeded(problems)
        interrupted = {sha256 for _, hashes in self._leftovers() for sha256 in hashes}
        unexplained = [path for path, sha256 in unneeded.items() if sha256 not in interrupted]
        self.mismatch = lost_files(problems.values()) or lost_database(len(unexplained), in_store)
        repair = self._options.repair and (self._options.accept_losses or not self.mismatch)
        set_aside: set[str] = set()
        for stored, label in recorded:
            if problem := problems[stored.sha256]:
                if repair and stored.sha256 not in set_aside:
                    self._set_aside(stored.sha256)
                    set_aside.add(stored.sha256)
                yield Finding(label, problem, repair)
        yield from self._interrupted(repair=repair)
        for path, sha256 in unneeded.items():
            if repair:
                if sha256 and self._backend.size(sha256) is None:  # it went with the upload that was interrupted
                    continue
                self._remove(path, sha256)
            yield Finding(path, "no package needs it" if sha256 else "is not a stored file", repair)

    def _interrupted(self, *, repair: bool) -> Iterator[Finding]:
        """Return what interrupted uploads have left."""
        for path, hashes in self._leftovers():
            if repair:
                for sha256 in hashes:
                    self._garbage.remove_unreferenced(sha256)
                path.unlink(missing_ok=True)
            if hashes or path.suffix == PARTIAL_SUFFIX:  # every process that is killed leaves an empty journal
                found = f"{path.parent.name}/{path.name}"
                yield Finding(found, "left by an upload that was interrupted", repair)

    def _unneeded(self, known: Collection[str]) -> tuple[dict[str, str], int]:
        """Return the files in the store that no record refers to, by path, and the number of all files in it.

        The value is the hash of the file; empty if the file is not a stored one.
        """
        found: dict[str, str] = {}
        count = 0
        if not self.complete:
            return found, count
        until = time.time() - self._options.grace
        for path, stored_at in list(self._backend.list_files()):
            count += 1
            sha256 = stored_hash(path)
            if stored_at > until or (sha256 and (sha256 in known or self._garbage.referenced(sha256))):
                continue
            found[path] = sha256
        return found, count

    def _remove(self, path: str, sha256: str) -> None:
        if sha256:
            self._garbage.remove_unreferenced(sha256)
        else:
            self._backend.remove(path)

    def _problem(self, stored: StoredFile) -> str:
        """Return a description of the damage to a stored file; empty if it is intact."""
        size = self._backend.size(stored.sha256)
        if size is None:
            return MISSING
        if size != stored.size:
            return f"it has {size} bytes instead of {stored.size}"
        if self._options.hashes:
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


def lost_files(problems: Collection[str]) -> str:
    """Return why the recorded files do not seem to be there as a whole; empty if they do.

    Args:
        problems: the problem of each recorded file; empty for one that is intact.
    """
    bad = [problem for problem in problems if problem]
    if in_bulk(len(bad), len(problems)) or 0 < bad.count(MISSING) == len(problems):
        return (
            f"{len(bad)} of {len(problems)} files are missing or damaged, so their folder or bucket is probably not "
            "there, or not the right one"
        )
    return ""


def lost_database(unneeded: int, in_store: int) -> str:
    """Return why the database does not seem to belong to the files in the store; empty if it does.

    Args:
        unneeded: files in the store without a record.
        in_store: all files in the store.
    """
    if in_bulk(unneeded, in_store) or 0 < unneeded == in_store:
        return (
            f"no package needs {unneeded} of {in_store} files, so the database is probably not the one of these files"
        )
    return ""


def in_bulk(found: int, total: int) -> bool:
    """Return whether so many files have a difference that no accident of single files explains it."""
    return found > max(MAX_PLAUSIBLE_FINDINGS, total * MAX_PLAUSIBLE_SHARE)
