"""Adds offered files to an index as uploads: checked, stored and recorded as those of upload tools are."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from contextlib import ExitStack

from wheelgate.errors import BackendUnavailable, Conflict, NotFound, Refusal, StorageFull
from wheelgate.moving.adding.counts import AddedCounts
from wheelgate.moving.adding.offers import Offer, file_identity
from wheelgate.moving.findings import Findings
from wheelgate.moving.progress import Progress
from wheelgate.packages import PackageTarget, RecordedUpload, UploadForm, UploadOrigin
from wheelgate.server import Server
from wheelgate.services.releases.uploads import Uploader, Uploads
from wheelgate.values import Index, Principal

UPLOADS_AT_ONCE = 4
"""Files of a project that are downloaded and stored at the same time."""
READ_CHUNK_BYTES = 1 << 20
"""Bytes of a file that are in memory at once."""
MAX_FINDINGS = 10_000
"""Findings that are kept; further ones are counted only."""


class Adder:
    """Adds files to one index."""

    def __init__(
        self, index: Index, target: PackageTarget, uploads: Uploads, server: Server, progress: Progress
    ) -> None:
        self._index = index
        self._target = target
        self._uploads = uploads
        self._server = server
        self._progress = progress
        self.counts = AddedCounts()
        self.findings = Findings()
        """Of the kinds ``project-failed``, ``yank-partial``, ``file-refused``, ``file-differs``, ``file-unhashed`` and
        ``file-failed``."""

    async def add_project(self, name: str, offers: Sequence[Offer], *, allow_unhashed: bool) -> None:
        """Add the files of a project that the index lacks.

        Raises:
            StorageFull: the disk is full.
            BackendUnavailable: the database or the store of files fails.
        """
        self.counts.projects += 1
        limit = asyncio.Semaphore(UPLOADS_AT_ONCE)
        present = self._present(name)

        async def add(offer: Offer) -> bool:
            async with limit:
                return await self._add_or_report(offer, present, allow_unhashed=allow_unhashed)

        added = await asyncio.gather(*map(add, offers))
        new = [offer for offer, is_new in zip(offers, added, strict=True) if is_new]
        self._yank(name, offers, {offer.version for offer in new})

    async def _add_or_report(self, offer: Offer, present: dict[Hashable, str], *, allow_unhashed: bool) -> bool:
        """Add a file; return False if the index has it, or it cannot be taken."""
        known = present.get(file_identity(offer.filename))
        if known is not None:
            if offer.sha256 and known != offer.sha256:
                self._report("file-differs", offer, "the index has another file of this name, which stays")
            else:
                self.counts.present += 1
            return False
        if not offer.hashed and not allow_unhashed:
            self._report(
                "file-unhashed", offer, "the index announces no hash of it; --allow-unhashed takes it all the same"
            )
            return False
        try:
            recorded, size = await self._add(offer)
        except StorageFull:
            raise
        except Refusal as error:
            failed = isinstance(error, BackendUnavailable | NotFound)
            self._report("file-failed" if failed else "file-refused", offer, error.message)
            return False
        self.counts.files += 1
        self.counts.bytes += size
        self._progress(size)
        return bool(recorded.path)

    async def _add(self, offer: Offer) -> tuple[RecordedUpload, int]:
        """Fetch a file, and record it; return its size too."""
        fields = {":action": ["file_upload"], "name": [offer.project], "version": [offer.version]}
        fields |= {"sha256_digest": [offer.sha256]} if offer.sha256 else {}
        fields |= {"requires_python": [offer.requires_python]} if offer.requires_python else {}
        provenance = None if offer.provenance is None else await asyncio.to_thread(offer.provenance)
        form = UploadForm(fields, offer.filename, UploadOrigin(offer.uploaded, provenance))
        receiver = self._uploads.receive(self._index)
        with ExitStack() as stack:
            try:
                file = await asyncio.to_thread(stack.enter_context, offer.open())
                write = receiver.begin(fields)
                while chunk := await asyncio.to_thread(file.read, READ_CHUNK_BYTES):
                    await write(chunk)
            except BaseException:
                await self._uploads.drop(self._index, receiver)
                raise
        uploader = Uploader(Principal(), lambda project: None, lambda: self._refuse_present(offer))
        return await self._uploads.record(self._index, self._target, form, receiver, uploader), receiver.size

    def _present(self, name: str) -> dict[Hashable, str]:
        """Return the sha256 of the files of a project that the index has itself, by identity."""
        project = self._target.project(self._index, name)
        files = project.files if project is not None else ()
        return {file_identity(file.name): file.hashes["sha256"] for file in files}

    def _refuse_present(self, offer: Offer) -> None:
        """Raise ``Conflict`` if a user has uploaded the file in the meantime; inside the transaction."""
        if file_identity(offer.filename) in self._present(offer.project):
            raise Conflict("a user has uploaded it in the meantime")

    def _yank(self, name: str, offers: Sequence[Offer], versions: set[str]) -> None:
        """Yank new versions whose files are all yanked at the source: here, a version is yanked as a whole."""
        for version in sorted(versions):
            files = [offer for offer in offers if offer.version == version]
            yanked = [offer for offer in files if offer.yanked is not None]
            if len(yanked) == len(files):
                with self._server.database.transaction():
                    self._target.yank(self._index, name, version, yanked[0].yanked)
            elif yanked:
                sentence = "only some of its files are yanked there; here, a version is yanked as a whole: it is not"
                self._add_finding("yank-partial", f"{name} {version}", sentence)

    def report_project(self, name: str, sentence: str) -> None:
        """Add the finding that a project could not be read."""
        self.counts.left_out += 1
        self._add_finding("project-failed", name, sentence)

    def _report(self, kind: str, offer: Offer, sentence: str) -> None:
        self.counts.left_out += 1
        self._add_finding(kind, offer.filename, sentence)

    def _add_finding(self, kind: str, subject: str, sentence: str) -> None:
        if len(self.findings.found) < MAX_FINDINGS:
            self.findings.add(kind, subject, sentence)
