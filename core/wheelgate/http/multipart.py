"""Upload forms (RFC 7578), read while they arrive: text fields into memory, the file to the code that stores it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import falcon.asgi
from falcon.util.mediatypes import parse_header
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from wheelgate.errors import BadInput, TooLarge
from wheelgate.packages import UploadForm
from wheelgate.threads.large_inputs import call_aside

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"

MAX_FORM_FIELDS = 2000
"""Some projects have hundreds of classifiers and requirements, each in a field of its own."""
MAX_FIELD_BYTES = 256_000
MAX_DESCRIPTION_BYTES = 4_000_000
"""Limit of the field ``description``, and of a whole URL-encoded form."""
MAX_URLENCODED_BYTES_ON_LOOP = 64_000
"""Bytes of a URL-encoded form that the event loop parses by itself; four million take half a second."""
MAX_ALL_FIELDS_BYTES = 16_000_000
"""Limit of all fields together: many fields within their own limits could still fill the memory."""
MAX_PART_HEAD_BYTES = 4096
MAX_BOUNDARY_CHARS = 70
"""RFC 2046, section 5.1.1."""
MAX_CONTENT_TYPE_CHARS = 500
"""Characters of the Content-Type of a form: its boundary is the only parameter that it needs."""
MIN_PARSED_BYTES = 1 << 16
"""Smaller chunks of the body are joined before they are parsed; larger ones are parsed as they are, without a copy."""
LINE_FEED_FORM_START = b"\n--"
"""The first bytes of a form of ``setup.py register`` and ``setup.py upload_docs``."""
IGNORED_FILE_FIELDS = frozenset({"gpg_signature"})

WriteFile = Callable[[bytes], Awaitable[None]]
"""Takes the next bytes of the file."""
BeginFile = Callable[[Mapping[str, Sequence[str]]], WriteFile]
"""Called when the file begins, with the fields that came before it; returns the function that takes its bytes."""


def is_form(req: falcon.asgi.Request) -> bool:
    """Return whether the body is a form, according to its Content-Type."""
    return media_type(req) in (MULTIPART, URLENCODED)


def is_urlencoded(req: falcon.asgi.Request) -> bool:
    """Return whether the body is a form without a file, according to its Content-Type."""
    return media_type(req) == URLENCODED


def media_type(req: falcon.asgi.Request) -> str:
    """Return the body's media type in lower case, without its parameters."""
    return (req.content_type or "").partition(";")[0].strip().lower()


def boundary_of(req: falcon.asgi.Request) -> str:
    """Return the boundary that the Content-Type of a form names; empty if it names none, or is too long for one."""
    given = req.content_type or ""
    # Falcon's parser takes time with the square of the semicolons: 8,000 of them cost 60 ms on the event loop.
    return parse_header(given)[1].get("boundary", "") if len(given) <= MAX_CONTENT_TYPE_CHARS else ""


async def read_form(req: falcon.asgi.Request, begin_file: BeginFile) -> UploadForm:
    """Read a multipart form to its end.

    ``setup.py`` begins some forms with an empty line and ends all lines with LF, where RFC 2046 asks for CR LF. Each LF
    of such a form becomes CR LF for the parser, and each CR LF of the result becomes LF again: a CR LF inside of a file
    has two CR meanwhile.

    Raises:
        BadInput: it is not a form, is cut off, or has a file in a field that takes none.
        TooLarge: its text is longer than any upload needs.
    """
    boundary = boundary_of(req)
    if not 1 <= len(boundary) <= MAX_BOUNDARY_CHARS or not boundary.isascii():
        raise BadInput(
            f"the Content-Type of the form names no boundary of 1 to {MAX_BOUNDARY_CHARS} ASCII characters between its"
            " fields"
        )
    chunks = read_in_large_chunks(req)
    chunk = await anext(chunks, b"")
    line_feeds = chunk.startswith(LINE_FEED_FORM_START)
    if line_feeds:
        chunk = chunk.removeprefix(b"\n")
    reader = FormReader(begin_file, line_feeds)
    try:
        parser = PushMultipartParser(boundary, max_header_size=MAX_PART_HEAD_BYTES, max_segment_count=MAX_FORM_FIELDS)
        while chunk:
            for event in parser.parse(chunk.replace(b"\n", b"\r\n") if line_feeds else chunk):
                reader.handle(event)
            await reader.flush_file()
            chunk = await anext(chunks, b"")
        close(parser)
    except ParserLimitReached:
        raise BadInput(
            f"the form cannot be read: it has more than {MAX_FORM_FIELDS} fields, or one with a head of more than"
            f" {MAX_PART_HEAD_BYTES} bytes"
        ) from None
    except MultipartError as error:
        raise BadInput(f"the form cannot be read: {error}") from None
    return UploadForm(reader.fields, reader.filename or "")


def close(parser: PushMultipartParser) -> None:
    """Raise ``BadInput`` if a form is not complete."""
    try:
        parser.close()
    except MultipartError:
        raise BadInput("the form cannot be read: it ends before its last boundary; repeat the upload") from None


async def read_in_large_chunks(req: falcon.asgi.Request) -> AsyncIterator[bytes]:
    """Yield the body as it arrives, in chunks of at least ``MIN_PARSED_BYTES``; the last one may be shorter."""
    waiting: list[bytes] = []
    size = 0
    async for chunk in req.stream:
        waiting.append(chunk)
        size += len(chunk)
        if size >= MIN_PARSED_BYTES:
            yield join_chunks(waiting)
            waiting.clear()
            size = 0
    if waiting:
        yield join_chunks(waiting)


class FormReader:
    """Collects the fields of a multipart form, and passes its file on.

    Args:
        begin_file: takes the file.
        line_feeds: whether each CR LF of the contents was LF before.
    """

    def __init__(self, begin_file: BeginFile, line_feeds: bool) -> None:
        self.fields: dict[str, list[str]] = {}
        self.filename: str | None = None
        self._begin_file = begin_file
        self._line_feeds = line_feeds
        self._write_file: WriteFile | None = None
        self._name = ""
        self._target: list[bytes] | None = None
        """The list that takes the content of the current part; None if the part is ignored."""
        self._text: list[bytes] = []
        self._file: list[bytes] = []
        """Bytes of the file that are not passed on yet."""
        self._field_bytes_left = 0
        self._all_fields_bytes = 0

    def handle(self, event: Any) -> None:
        """Handle an event of the parser: the head of a part, some of its content, or None for its end."""
        target = self._target
        if event is None:
            if target is self._text:
                text = self._restored(join_chunks(target))
                self.fields.setdefault(self._name, []).append(decode_field(self._name, text))
                target.clear()
        elif isinstance(event, MultipartSegment):
            self._begin_part(event.name, event.filename)
        elif target is not None:
            if target is self._text:
                self._count_text(len(event))
            target.append(event)

    async def flush_file(self) -> None:
        """Pass on the bytes of the file that have arrived."""
        if self._file and self._write_file is not None:
            data = join_chunks(self._file)
            self._file.clear()
            await self._write_file(self._restored(data))

    def _restored(self, content: bytes) -> bytes:
        # The parser never parts CR from LF: a boundary may begin there.
        return content.replace(b"\r\n", b"\n") if self._line_feeds else content

    def _begin_part(self, name: str, filename: str | None) -> None:
        check_field_name(name)
        self._name = name
        if filename is None:
            self._target = self._text
            self._field_bytes_left = max_field_bytes(name)
            self._all_fields_bytes += len(name)
        elif name == "content":
            if "\0" in filename:
                raise BadInput("the name of the file contains NUL, which is not valid in text")
            if self.filename is not None:
                raise BadInput("the form has more than one file; upload them one by one")
            self.filename = filename
            self._write_file = self._begin_file(self.fields)
            self._target = self._file
        elif name in IGNORED_FILE_FIELDS:
            self._target = None
        else:
            raise BadInput(f"the field {name[:80]!a} contains a file; only 'content' may")

    def _count_text(self, size: int) -> None:
        self._field_bytes_left -= size
        self._all_fields_bytes += size
        if self._field_bytes_left < 0:
            raise TooLarge(f"the field {self._name[:80]!a} has more than {max_field_bytes(self._name)} bytes")
        if self._all_fields_bytes > MAX_ALL_FIELDS_BYTES:
            raise TooLarge(f"the fields of the form have more than {MAX_ALL_FIELDS_BYTES} bytes together")


def max_field_bytes(name: str) -> int:
    """Return how many bytes a text field may have."""
    return MAX_DESCRIPTION_BYTES if name == "description" else MAX_FIELD_BYTES


def join_chunks(chunks: list[bytes]) -> bytes:
    """Join chunks; a single one is not copied."""
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def check_field_name(name: str) -> None:
    """Raise ``BadInput`` if the name of a field is empty, or contains control characters."""
    if not name:
        raise BadInput("the form cannot be read: a field has no name")
    if not name.isprintable():
        raise BadInput(f"the form cannot be read: the name {name[:80]!a} of a field contains control characters")


def decode_field(name: str, data: bytes) -> str:
    """Decode the text of a field. Raise ``BadInput`` if it is not UTF-8, or contains NUL."""
    try:
        decoded = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"the field {name[:80]!a} is not UTF-8") from None
    if "\0" in decoded:
        raise BadInput(f"the field {name[:80]!a} contains NUL, which is not valid in text")
    return decoded


async def read_urlencoded_body(req: falcon.asgi.Request) -> bytes:
    """Read a form without a file. Raise ``TooLarge`` if its text is longer than any upload needs."""
    data = await req.stream.read(MAX_DESCRIPTION_BYTES + 1)
    if len(data) > MAX_DESCRIPTION_BYTES:
        raise TooLarge(f"the form has more than {MAX_DESCRIPTION_BYTES} bytes")
    return data


async def parse_urlencoded_form(data: bytes) -> UploadForm:
    """Return a form without a file. Raise ``BadInput`` if it is not a form."""
    return UploadForm(await call_aside(len(data) > MAX_URLENCODED_BYTES_ON_LOOP, parse_urlencoded, data))


def parse_urlencoded(data: bytes) -> dict[str, list[str]]:
    """Return the fields of a form without a file. Raise ``BadInput`` if it is not a form."""
    fields: dict[str, list[str]] = {}
    if data.count(b"&") >= MAX_FORM_FIELDS:
        raise BadInput(f"the form cannot be read: it has more than {MAX_FORM_FIELDS} fields")
    try:
        pairs = parse_qsl(data.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise BadInput("the form cannot be read: it is not URL-encoded UTF-8") from None
    for name, value in pairs:
        check_field_name(name)
        fields.setdefault(name, []).append(decode_field(name, value.encode()))
    return fields
