"""What an upload goes through between the network and the record: received, checked, kept, recorded, or gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import cast

from wheelgate.errors import BadInput, NotFound, TooLarge, Unsupported
from wheelgate.fields import IndexType
from wheelgate.files.server_files import Files
from wheelgate.packages import Draft, DraftFile, Form, Inspected, PackageTarget, Recorded, normalize
from wheelgate.services.sources import Sources
from wheelgate.values import Index

DIGESTS = {"md5_digest": "md5", "blake2_256_digest": "blake2_256"}
"""Fields of the form, and what has to be computed beside sha256 to check them."""


BATCH = 1 << 20
"""Bytes that are written at once: each batch costs a hop into a thread."""


class Reception:
    """The file of one upload on its way in.

    It is written a batch at a time, so that a small file is written in one go, at its end.
    """

    def __init__(self, files: Files, sources: Sources, index: Index, largest: int | None = None) -> None:
        """Take the index that it is for, in whose threads it is written, and how many bytes it may have."""
        self._files = files
        self._sources = sources
        self._index = index
        self._largest = largest
        self._also: tuple[str, ...] | None = None
        self._size = 0
        self._waiting: list[bytes] = []
        self._left = BATCH
        self._draft: Draft | None = None
        self._whole: DraftFile | None = None

    def begin(self, fields: Mapping[str, Sequence[str]]) -> Callable[[bytes], Awaitable[None]]:
        """Begin the file; ``fields`` says which digests will be asked for."""
        self._also = tuple(name for field, name in DIGESTS.items() if any(fields.get(field, ())))
        return self.take

    async def take(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises:
            TooLarge: there are more than may be.
            StorageFull: the disk is full.
        """
        self._size += len(piece)
        if self._largest is not None and self._size > self._largest:
            raise TooLarge(f"the file has more than the {self._largest} bytes that this server takes (--max-upload)")
        self._waiting.append(piece)
        self._left -= len(piece)
        if self._left < 0:
            await self._sources.wait(self._index, self._write)

    @property
    def small(self) -> bool:
        """Whether nothing of it had to be written yet."""
        return self._draft is None

    def finish(self) -> DraftFile | None:
        """Return the whole file; None if there was none. In a thread."""
        if self._also is None:
            return None
        if self._draft is None:
            self._whole = self._files.whole(b"".join(self._waiting), *self._also)
        else:
            self._write()
            self._whole = self._draft.finish()
        return self._whole

    def drop(self, *, recorded: bool = False) -> None:
        """Leave nothing behind but what was recorded, as the whole file may have been. In a thread."""
        if self._whole is not None:
            self._files.release(self._whole, recorded=recorded)
        elif self._draft is not None:
            self._draft.discard()

    def _write(self) -> None:
        if self._draft is None:
            self._draft = self._files.draft(*self._also or ())
        for piece in self._waiting:
            self._draft.write(piece)
        self._waiting.clear()
        self._left = BATCH


class UploadJob:
    """One upload that has arrived: checked and kept, recorded, or gone. See :class:`Job`."""

    def __init__(
        self,
        files: Files,
        target: PackageTarget,
        index: Index,
        form: Form,
        reception: Reception,
        who: str | None,
        permit: Callable[[str, str | None], None],
    ) -> None:
        """Take the parts, the user's name, and what raises whatever there is against a project, or a release of it.

        It is called with the project's normalised name and, once it is known, the version.
        """
        self._files = files
        self._target = target
        self._index = index
        self._form = form
        self._reception = reception
        self._who = who
        self._permit = permit
        self._inspected: Inspected | None = None

    def prepare(self) -> None:
        """Check it, and give its file the place where it stays.

        Raises:
            Refusal: something is wrong with it; nothing is kept in the end.
        """
        if not self._form.action:
            raise BadInput("the form has no field ':action', which says what to do: file_upload, for example")
        # First what the form names, so that nobody learns of others; then what the file is of.
        self._permit(normalize(self._form.first("name")), None)
        self._inspected = self._target.inspect(self._index, self._form, self._reception.finish())
        self._permit(normalize(self._inspected.project), self._inspected.version)
        if self._inspected.file is not None:
            self._files.put(self._inspected.file)

    def secure(self) -> None:
        """Wait until the file is on the disk."""
        if self._inspected is not None and self._inspected.file is not None:
            self._files.secure(self._inspected.file)

    def change(self) -> Recorded:
        """Record it. Within a transaction."""
        if self._inspected is None:
            raise RuntimeError("an upload is recorded that was not prepared")
        if self._inspected.file is not None:
            self._files.confirm(self._inspected.file)
        return self._target.record(self._index, self._inspected, self._who)

    def leave(self, *, changed: bool) -> None:
        """Leave nothing behind but what was recorded."""
        self._reception.drop(recorded=changed)


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
