"""Whether what the records name and what is stored fit together, and what is done where they do not."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wheelgate.files.backends import BUFFER, Store, place, stream
from wheelgate.files.garbage import Doubts
from wheelgate.files.incoming import PARTIAL
from wheelgate.packages import StoredFile
from wheelgate.store.database import Database


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    subject: str
    """A file as people know it, ``owner/index/+f/…``, or its place in the store."""
    problem: str
    repaired: bool


class Check:
    """One run over all files."""

    def __init__(
        self,
        store: Store,
        doubts: Doubts,
        leftovers: Callable[[], Iterable[tuple[Path, Sequence[str]]]],
        database: Database,
        *,
        hashes: bool,
        repair: bool,
        grace: float,
    ) -> None:
        """Take what is compared.

        Args:
            store: the stored files.
            doubts: knows who is asked for records, and removes what nobody needs.
            leftovers: finds what was being received and placed, with the hashes that it is about.
            database: for the transactions of repairs.
            hashes: read every file and compare its hash; else its size alone.
            repair: remove what nobody needs, and take damaged files out of use.
            grace: seconds for which a file without a record is let alone: another node may be about to record it.
        """
        self._store = store
        self._doubts = doubts
        self._leftovers = leftovers
        self._database = database
        self._hashes = hashes
        self._repair = repair
        self._grace = grace
        self.checked = 0
        """How many stored files were looked at that a record names."""

    @property
    def complete(self) -> bool:
        """Whether everybody is there who can say what is needed."""
        return self._doubts.complete()

    def findings(self) -> Iterator[Finding]:
        """Find what is wrong, and repair it if that is wanted."""
        problems: dict[str, str] = {}
        for source in self._doubts.sources:
            for stored, label in list(source.stored_files()):
                if stored.sha256 not in problems:
                    problems[stored.sha256] = self._problem(stored)
                    if problems[stored.sha256] and self._repair:
                        self._give_up(stored.sha256)
                if problem := problems[stored.sha256]:
                    yield Finding(label, problem, self._repair)
        self.checked = len(problems)
        for path, hashes in self._leftovers():
            if self._repair:
                for sha256 in hashes:
                    self._doubts.settle(sha256)
                path.unlink(missing_ok=True)
            if hashes or path.suffix == PARTIAL:  # notes of nothing are left by every process that is killed
                found = f"{path.parent.name}/{path.name}"
                yield Finding(found, "left by an upload that was interrupted", self._repair)
        yield from self._needless(problems)

    def _needless(self, known: Collection[str]) -> Iterator[Finding]:
        """Find what lies in the store and is not named by any record."""
        if not self.complete:
            return
        until = time.time() - self._grace
        for where, came in list(self._store.all()):
            sha256 = where.replace("/", "")
            proper = re.fullmatch("[0-9a-f]{64}", sha256) and where == place(sha256)
            if came > until or (proper and (sha256 in known or self._doubts.needed(sha256))):
                continue
            if self._repair and proper:
                self._doubts.settle(sha256)
            elif self._repair:
                self._store.remove(where)
            yield Finding(where, "no package needs it" if proper else "is no stored file", self._repair)

    def _problem(self, stored: StoredFile) -> str:
        """Say what is wrong with a stored file; empty if nothing is."""
        size = self._store.size(stored.sha256)
        if size is None:
            return "it is missing"
        if size != stored.size:
            return f"it has {size} bytes instead of {stored.size}"
        if self._hashes:
            with stream(self._store.open(stored), size) as file:
                hasher = hashlib.sha256()
                while chunk := file.read(BUFFER):
                    hasher.update(chunk)
                if hasher.hexdigest() != stored.sha256:
                    return "its content is another one"
        return ""

    def _give_up(self, sha256: str) -> None:
        """Put aside what is left of a file, and let the sources know that it is lost."""
        if self._store.size(sha256) is not None:
            self._store.set_aside(sha256)
        with self._database.transaction():
            for source in self._doubts.sources:
                source.lost(sha256)
