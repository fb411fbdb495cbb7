"""A form with a file in it, as uploads are sent: read from the disk while it goes out, so memory stays flat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from urllib3 import encode_multipart_formdata

from wheelgate_client.errors import ClientError

CHUNK = 1 << 20


class Form:
    """``multipart/form-data``; each iteration is one transmission, for a redirect may ask for a second one.

    urllib3 writes the frame, with no content for the file, and the file goes where the frame says: what a library of
    its own for this would do too, and requests sends whatever has a length and can be iterated over.
    """

    def __init__(
        self, fields: Sequence[tuple[str, str]], path: Path, size: int, progress: Callable[[int], None]
    ) -> None:
        """Take the text fields, and the file, of which ``progress`` is told how many bytes are sent."""
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
            while left and (chunk := file.read(min(left, CHUNK))):
                yield chunk
                left -= len(chunk)
                self._progress(self._size - left)
        if left:
            raise ClientError(f"{self._path} has become shorter while it was sent; it was not uploaded")
        yield self._tail
