"""The files of packages, as plugins and resources use them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from wheelgate.config import Config
from wheelgate.errors import Conflict, Refusal
from wheelgate.files import errors as faults
from wheelgate.files.backends import Store, stream
from wheelgate.files.commit import Placing
from wheelgate.files.fetching import Fetching
from wheelgate.files.fsck import Check
from wheelgate.files.garbage import Doubts, lock
from wheelgate.files.incoming import Drafts, in_memory
from wheelgate.files.local import LocalStore, make_private
from wheelgate.packages import Draft, DraftFile, Growing, PackageSource, StoredFile
from wheelgate.store.database import Database

NOBODYS = "0" * 64
"""A hash that no file has."""

log = logging.getLogger("wheelgate.files")


class Files:
    """Takes files in, keeps them under their hash, and gives them out."""

    def __init__(self, config: Config, database: Database) -> None:
        """Take the settings and the database; nothing is made on the disk before it is needed."""
        folder = config.serverdir / "files"
        self._config = config
        self._folder = folder
        self._database = database
        self._drafts = Drafts(folder / "drafts")
        self._doubts = Doubts(database, lambda: self.store)
        self._fetching = Fetching(folder / "spool", self._drafts, self.release)
        self._placing = Placing(folder / "placing")
        self._kept: set[DraftFile] = set()

    @cached_property
    def store(self) -> Store:
        """Where files are kept. Its threads do not outlive a fork: each process makes its own."""
        if self._config["files"] is None:
            return LocalStore(self._folder / "sha256")
        from wheelgate.files.s3 import S3Store  # most servers run without it

        return S3Store(self._config["files"], self._config["files-endpoint"])

    def ask(self, sources: Sequence[PackageSource], complete: Callable[[], bool]) -> None:
        """Take those who are asked what they need before anything is removed, and who says whether these are all."""
        self._doubts.ask(sources, complete)

    def draft(self, *also: str) -> Draft:
        """Begin to receive a file; ``also`` names hashes to compute besides sha256: ``md5``, ``blake2_256``."""
        return self._drafts.begin(also)

    def whole(self, content: bytes, *also: str) -> DraftFile:
        """Take a file that has come in one piece; it needs nothing of the disk before it is put to its place."""
        return in_memory(content, also)

    def keep(self, draft: DraftFile) -> StoredFile:
        """Put a file to where it stays, durably. Outside of transactions: it may take long."""
        self.put(draft)
        self.secure(draft)
        return draft.stored

    def put(self, draft: DraftFile) -> None:
        """Do the first half of :meth:`keep`; of several files, it takes less to put all of them first."""
        if draft not in self._kept and not draft.path:
            self._placing.note(draft.stored.sha256)
        self._kept.add(draft)
        self.store.put(draft)

    def secure(self, draft: DraftFile) -> None:
        """Do the second half: wait for the disk."""
        self.store.secure(draft)

    def confirm(self, draft: DraftFile) -> None:
        """Make sure that a kept file is there still. Within the transaction that records it."""
        lock(self._database, [draft.stored.sha256])
        if self.store.size(draft.stored.sha256) != draft.stored.size:
            self.keep(draft)

    def hold(self, stored: Iterable[StoredFile]) -> None:
        """Make sure that stored files are there still. Within the transaction that records them once more.

        Raises:
            Conflict: one has been removed meanwhile.
        """
        wanted = list(stored)
        lock(self._database, [each.sha256 for each in wanted])
        if any(self.store.size(each.sha256) != each.size for each in wanted):
            raise Conflict("a file of this release was removed meanwhile, so nothing was changed; look again")

    def release(self, draft: DraftFile, *, recorded: bool = False) -> None:
        """Drop a draft after the transaction; if nothing came to refer to the file, it goes too.

        Args:
            draft: the draft.
            recorded: whether a transaction has recorded the file, so that nobody needs to be asked.
        """
        kept = draft in self._kept
        self._kept.discard(draft)
        try:
            if kept and not recorded and not self._doubts.needed(draft.stored.sha256):
                self._doubts.settle(draft.stored.sha256)
        except Refusal as error:
            log.warning("an upload is cleared away at the next start: %s", error)  # by the draft, or note, which stays
            return
        if draft.path:
            with suppress(OSError):
                os.unlink(draft.path)  # noqa: PTH108
        elif kept:
            self._placing.settle(draft.stored.sha256)

    def doubt(self, hashes: Iterable[str]) -> None:
        """Note that stored files may not be needed any longer. Within the transaction that drops their records."""
        self._doubts.note(hashes)

    def open(self, stored: StoredFile) -> BinaryIO:
        """Open a stored file.

        Raises:
            Damaged: it is missing, or has another size.
        """
        return stream(self.store.open(stored), stored.size)

    def fetch(self, key: str, size: int | None, download: Callable[[Draft], StoredFile]) -> Growing:
        """Return the download of that key which is under way on this machine; begin it if there is none.

        Args:
            key: names what is fetched, for example ``root/pypi/+f/…``.
            size: bytes that it will have; None if nobody knows.
            download: called in a thread of its own. It looks first whether the file has come meanwhile, and then
                returns it. Otherwise it writes the bytes, finishes the draft, checks it, keeps and records it, and
                returns what it has become; the draft is released for it. What it raises is what those who wait get.
        """
        return self._fetching.fetch(key, size, download)

    def check(self, *, hashes: bool, repair: bool, grace: float) -> Check:
        """Compare records and stored files: see :class:`Check`. Nobody else may use the folder."""
        return Check(
            self.store, self._doubts, self._leftovers, self._database, hashes=hashes, repair=repair, grace=grace
        )

    def sweep(self) -> None:
        """Remove what a crash has left, and what is doubted and not needed. Nobody else may use the folder.

        Raises:
            BackendUnavailable: the database or the disk does not answer.
        """
        if self._config["files"] is None:
            with faults.told():
                make_private(self._folder / "sha256")
        self.store.size(NOBODYS)  # does it answer at all?
        self._fetching.sweep()
        for path, hashes in self._leftovers():
            for sha256 in hashes:
                self._doubts.settle(sha256)
            with suppress(OSError):
                path.unlink()
        self._doubts.sweep()

    def _leftovers(self) -> Iterator[tuple[Path, list[str]]]:
        """Find what uploads have left that a crash interrupted: each file, with the hashes that it is about."""
        yield from self._drafts.leftovers()
        yield from self._placing.leftovers()

    def close(self) -> None:
        """End the threads."""
        self._fetching.close()
        self._placing.close()
        self._doubts.close()
