"""What an upload goes through between the network and the record: received, checked, kept, recorded, or gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import cast

from wheelgate.errors import BadInput, NotFound, TooLarge, Unsupported
from wheelgate.fields import IndexType
from wheelgate.files.files import Files
from wheelgate.packages import Draft, DraftFile, Form, Inspected, PackageTarget, Recorded
from wheelgate.services.sources import Sources
from wheelgate.values import Index

DIGESTS = {"md5_digest": "md5", "blake2_256_digest": "blake2_256"}
"""Fields of the form, and what has to be computed beside sha256 to check them."""


class Reception:
    """The file of one upload on its way in.

    What has arrived is written when more comes, or at the end, so that a small file costs one hop into a thread.
    """

    def __init__(self, files: Files, sources: Sources, index: Index, largest: int | None = None) -> None:
        """Take the index that it is for, in whose threads it is written, and how many bytes it may have."""
        self._files = files
        self._sources = sources
        self._index = index
        self._largest = largest
        self._also: tuple[str, ...] | None = None
        self._size = 0
        self._waiting = b""
        self._draft: Draft | None = None
        self._whole: DraftFile | None = None

    def begin(self, fields: Mapping[str, Sequence[str]]) -> Callable[[bytes], Awaitable[None]]:
        """Begin the file; ``fields`` says which digests will be asked for."""
        self._also = tuple(name for field, name in DIGESTS.items() if any(fields.get(field, ())))
        return self.take

    async def take(self, batch: bytes) -> None:
        """Take the next bytes.

        Raises:
            TooLarge: there are more than may be.
            StorageFull: the disk is full.
        """
        self._size += len(batch)
        if self._largest is not None and self._size > self._largest:
            raise TooLarge(f"the file has more than the {self._largest} bytes that this server takes (--max-upload)")
        if self._waiting:
            await self._sources.wait(self._index, self._write)
        self._waiting = batch

    def whole(self, content: bytes) -> DraftFile:
        """Take a file that is there already. In a thread."""
        self._waiting = content
        self._whole = self._write().finish()
        return self._whole

    def finish(self) -> DraftFile | None:
        """Return the whole file; None if there was none. In a thread."""
        if self._also is not None:
            self._whole = self._write().finish()
        return self._whole

    def drop(self, *, recorded: bool = False) -> None:
        """Leave nothing behind but what was recorded, as the whole file may have been. In a thread."""
        if self._whole is not None:
            self._files.release(self._whole, recorded=recorded)
        elif self._draft is not None:
            self._draft.discard()

    def _write(self) -> Draft:
        if self._draft is None:
            self._draft = self._files.draft(*self._also or ())
        waiting, self._waiting = self._waiting, b""
        if waiting:
            self._draft.write(waiting)
        return self._draft


def prepare(files: Files, target: PackageTarget, index: Index, form: Form, reception: Reception) -> Inspected:
    """Check an upload, and keep its file. In a thread, outside of transactions.

    Raises:
        Refusal: something is wrong with it; nothing is kept once the reception is dropped.
    """
    if not form.action:
        raise BadInput("the form has no field ':action', which says what to do: file_upload, for example")
    inspected = target.inspect(index, form, reception.finish())
    if inspected.file is not None:
        files.keep(inspected.file)
    return inspected


def record(files: Files, target: PackageTarget, index: Index, inspected: Inspected, who: str | None) -> Recorded:
    """Record an upload whose file is kept. Within a transaction."""
    if inspected.file is not None:
        files.confirm(inspected.file)
    return target.record(index, inspected, who)


def upload_target(kind: IndexType | None, index: Index) -> PackageTarget:
    """Return what takes uploads to an index.

    Raises:
        NotFound: nothing does; in the incumbent's words, which its clients know.
        Unsupported: the plugin that brings the type is not there.
    """
    if kind is None:
        raise Unsupported(f"the plugin that brings indices of type '{index.type}' is not there")
    if not kind.takes_uploads or kind.packages is None:
        raise NotFound(f"cannot submit to {kind.name} index")
    return cast("PackageTarget", kind.packages)
