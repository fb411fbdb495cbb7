"""Uploads between the network and the store: received, checked, stored and recorded, or dropped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from wheelgate.errors import BadInput, NotFound, TooLarge, Unsupported
from wheelgate.fields import IndexType
from wheelgate.files.server_files import Files
from wheelgate.packages import (
    CheckedUpload,
    IncomingFile,
    PackageTarget,
    ReceivedFile,
    RecordedUpload,
    UploadForm,
    normalize,
)
from wheelgate.plugin_host.vetoes import Vetoes
from wheelgate.services.packages.sources import Sources
from wheelgate.store.access import StoreAccess
from wheelgate.store.group_commit import GroupCommit, run_alone
from wheelgate.values import Index, Principal

DIGEST_FIELDS = {"md5_digest": "md5", "blake2_256_digest": "blake2_256"}
"""Fields of the form with a digest other than sha256, and the hash to compute in order to check it."""
SINGLE_FIELDS = (
    *(":action", "name", "version", "metadata_version", "filetype", "attestations"),
    *("md5_digest", "sha256_digest", "blake2_256_digest"),
)
"""Fields that decide what an upload is. If one occurs twice, this server and a proxy could choose differently."""
WRITE_BATCH_BYTES = 1 << 20
"""Bytes of the file that are written at once: each write costs a switch to a thread."""
MAX_GROUP_CHECK_BYTES = 32 << 10
"""Bytes of file and form up to which the thread of the group commit checks an upload itself. The check of a larger one
may take long, and all others would wait for it."""


class UploadReceiver:
    """Receives the file of one upload piece by piece.

    It is written in batches; a file below one batch stays in memory and is written at its end, in one go.
    """

    def __init__(self, files: Files, sources: Sources, index: Index, max_bytes: int | None = None) -> None:
        """Take the parts, the index, whose threads write the file, and the limit of its length in bytes."""
        self._files = files
        self._sources = sources
        self._index = index
        self._max_bytes = max_bytes
        self._digests: tuple[str, ...] | None = None
        self._size = 0
        self._waiting: list[bytes] = []
        self._batch_bytes_left = WRITE_BATCH_BYTES
        self._incoming: IncomingFile | None = None
        self._finished: ReceivedFile | None = None

    def begin(self, fields: Mapping[str, Sequence[str]]) -> Callable[[bytes], Awaitable[None]]:
        """Begin the file; ``fields`` says which digests have to be computed."""
        self._digests = tuple(name for field, name in DIGEST_FIELDS.items() if any(fields.get(field, ())))
        return self.write

    async def write(self, data: bytes) -> None:
        """Add the next bytes.

        Raises:
            TooLarge: the file is longer than ``--max-upload`` allows.
            StorageFull: the disk is full.
        """
        self._size += len(data)
        if self._max_bytes is not None and self._size > self._max_bytes:
            raise TooLarge(f"the file has more than the {self._max_bytes} bytes that this server takes (--max-upload)")
        self._waiting.append(data)
        self._batch_bytes_left -= len(data)
        if self._batch_bytes_left < 0:
            await self._sources.run_in_thread(self._index, self._write_batch)

    @property
    def size(self) -> int:
        """The bytes received so far."""
        return self._size

    @property
    def in_memory(self) -> bool:
        """Whether nothing has been written yet."""
        return self._incoming is None

    def finish(self) -> ReceivedFile | None:
        """Return the whole file; None if the form had none. Call it in a thread."""
        if self._digests is None:
            return None
        if self._incoming is None:
            self._finished = self._files.from_bytes(b"".join(self._waiting), *self._digests)
        else:
            self._write_batch()
            self._finished = self._incoming.finish()
        return self._finished

    def drop(self, *, recorded: bool = False) -> None:
        """Remove everything that is not recorded. Call it in a thread.

        Args:
            recorded: whether the whole file is recorded and stays.
        """
        if self._finished is not None:
            self._files.clean_up(self._finished, recorded=recorded)
        elif self._incoming is not None:
            self._incoming.discard()

    def _write_batch(self) -> None:
        if self._incoming is None:
            self._incoming = self._files.receive(*self._digests or ())
        for data in self._waiting:
            self._incoming.write(data)
        self._waiting.clear()
        self._batch_bytes_left = WRITE_BATCH_BYTES


CheckRelease = Callable[[str, str | None], None]
"""Raises a refusal if a project, or one of its releases, may not be uploaded.

It takes the project's normalised name and the version, which is None as long as it is not known.
"""


@dataclass(frozen=True, slots=True)
class Uploader:
    """The sender of an upload."""

    principal: Principal
    require_project: Callable[[str], None]
    """Raises a refusal if the uploader may not upload a project, by its normalised name."""
    confirm: Callable[[], None]
    """Raises a refusal if the uploader may not upload any more; called inside the transaction."""


class UploadJob:
    """One received upload: checked and stored, recorded, or dropped: a :class:`.CommitJob`."""

    def __init__(
        self,
        files: Files,
        target: PackageTarget,
        index: Index,
        form: UploadForm,
        receiver: UploadReceiver,
        uploader: Uploader,
        check_release: CheckRelease,
    ) -> None:
        self._files = files
        self._target = target
        self._index = index
        self._form = form
        self._receiver = receiver
        self._uploader = uploader
        self._check_release = check_release
        self._checked: CheckedUpload | None = None

    def prepare(self) -> None:
        """Check the upload, unless :meth:`check` has done so, and move its file to its final place.

        Raises:
            Refusal: something is wrong with it; :meth:`finish` then removes the file.
        """
        checked = self._checked or self.check()
        if checked.file is not None:
            self._files.put(checked.file)

    def check(self) -> CheckedUpload:
        """Check the upload. Raise as :meth:`prepare` does."""
        refuse_repeated_fields(self._form)
        if not self._form.action:
            raise BadInput("the form has no field ':action', which says what to do: file_upload, for example")
        # The project that the form names is checked before the file is read: a caller without the right to it must
        # not learn anything about it. The project that the file itself names is checked afterwards.
        self._check_release(normalize(self._form.first("name")), None)
        self._checked = self._target.check_upload(self._index, self._form, self._receiver.finish())
        self._check_release(normalize(self._checked.project), self._checked.version)
        return self._checked

    def sync(self) -> None:
        """Wait until the file is on the disk."""
        if self._checked is not None and self._checked.file is not None:
            self._files.sync(self._checked.file)

    def change(self) -> RecordedUpload:
        """Record the upload. Runs inside a transaction."""
        if self._checked is None:
            raise RuntimeError("an upload is recorded that was not prepared")
        self._uploader.confirm()
        if self._checked.file is not None:
            self._files.ensure_stored(self._checked.file)
        return self._target.record_upload(self._index, self._checked, self._uploader.principal.name)

    def finish(self, *, changed: bool) -> None:
        """Remove everything that is not recorded."""
        self._receiver.drop(recorded=changed)


class Uploads:
    """Receives and records uploads: small ones together in one transaction, others on their own."""

    def __init__(
        self,
        files: Files,
        sources: Sources,
        access: StoreAccess,
        vetoes: Vetoes,
        max_file_bytes: int | None,
        group_commit: GroupCommit | None,
    ) -> None:
        """Take the parts, the limit of a file in bytes, and the group commit for small uploads.

        Without ``group_commit`` each upload is committed on its own: with a database that takes several writers at the
        same time, and with object storage, uploads would only wait for each other.
        """
        self._files = files
        self._sources = sources
        self._access = access
        self._vetoes = vetoes
        self._max_file_bytes = max_file_bytes
        self._group_commit = group_commit

    def receive(self, index: Index) -> UploadReceiver:
        """Return a receiver for the file of an upload to an index."""
        return UploadReceiver(self._files, self._sources, index, self._max_file_bytes)

    async def drop(self, index: Index, receiver: UploadReceiver) -> None:
        """Remove the received part of an upload that failed."""
        await self._sources.run_in_thread(index, receiver.drop)

    async def record(
        self,
        index: Index,
        target: PackageTarget,
        form: UploadForm,
        receiver: UploadReceiver,
        uploader: Uploader,
    ) -> RecordedUpload:
        """Check an upload and record it.

        Args:
            index: the index that it is for.
            target: the package target of the index.
            form: its fields.
            receiver: the receiver, which has received its file.
            uploader: the sender.

        Raises:
            Refusal: it is not recorded, and nothing of it is kept.
        """

        def check_release(project: str, version: str | None) -> None:
            uploader.require_project(project)
            if version is not None:
                self._vetoes.raise_any(
                    f"{project} {version}",
                    principal=uploader.principal,
                    index=index,
                    project=project,
                    version=version,
                )

        job = UploadJob(self._files, target, index, form, receiver, uploader, check_release)
        # A plugin that takes long for one upload must not delay those that would be committed together with it.
        if self._group_commit is not None and receiver.in_memory and self._vetoes.instant:
            if receiver.size + form_chars(form) > MAX_GROUP_CHECK_BYTES:
                await self._sources.run_in_thread(index, job.check)
            return await self._group_commit.run(job)
        return await self._sources.run_in_thread(index, run_alone, job, self._access.within_transaction)


def refuse_repeated_fields(form: UploadForm) -> None:
    """Raise ``BadInput`` if a form gives a field twice that decides what the upload is."""
    for name in SINGLE_FIELDS:
        count = len(form.fields.get(name, ()))
        if count > 1:
            raise BadInput(f"the form has the field '{name}' {count} times; send it once")


def form_chars(form: UploadForm) -> int:
    """Return the number of characters in all fields of a form."""
    return sum(len(value) for values in form.fields.values() for value in values)


def upload_target(index_type: IndexType | None, index: Index) -> PackageTarget:
    """Return the package target of an index.

    Raises:
        NotFound: its type takes no uploads; the message is the incumbent's, which its clients know.
        Unsupported: the plugin that provides the type is not installed.
    """
    if index_type is None:
        raise Unsupported(f"the plugin that provides indices of type '{index.type}' is not installed")
    if not index_type.takes_uploads or index_type.packages is None:
        raise NotFound(f"cannot submit to {index_type.name} index")
    return cast("PackageTarget", index_type.packages)
