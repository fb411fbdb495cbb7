"""The form of an upload: its file is read while it is sent, which keeps memory use flat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from urllib3 import encode_multipart_formdata

from wheelgate_client.errors import ClientError

UPLOAD_CHUNK_BYTES = 1 << 20


class MultipartUpload:
    """A ``multipart/form-data`` body; each iteration sends it once, because a redirect may ask for it again.

    urllib3 encodes the form with an empty file, and the content of the file is inserted there while sending. requests
    accepts any body that has a length and can be iterated over.
    """

    def __init__(
        self, fields: Sequence[tuple[str, str]], path: Path, size: int, progress: Callable[[int], None]
    ) -> None:
        """Take the text fields, and the file; ``progress`` is called with the number of bytes of it sent so far."""
        frame, self.content_type = encode_multipart_formdata(
            [*fields, ("content", (path.name, b"", "application/octet-stream"))]
        )
        boundary = self.content_type.partition("boundary=")[2]
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._head = frame.removesuffix(self._tail)
        self._path = path
        self._size = size
        self._progress = progress

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        left = self._size
        with self._path.open("rb") as file:
            while left and (chunk := file.read(min(left, UPLOAD_CHUNK_BYTES))):
                yield chunk
                left -= len(chunk)
                self._progress(self._size - left)
        if left:
            raise ClientError(f"{self._path} became shorter while it was sent; it was not uploaded")
        yield self._tail
