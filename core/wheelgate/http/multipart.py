"""Forms with a file in them, read while they arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import falcon.asgi
from falcon.util.mediatypes import parse_header
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from wheelgate.errors import BadInput, TooLarge
from wheelgate.packages import Form

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"

MOST_FIELDS = 2000
"""Some projects have hundreds of classifiers and requirements, each a field of its own."""
LONGEST_FIELD = 256_000
LONGEST_DESCRIPTION = 4_000_000
LONGEST_TEXT = 16_000_000
"""Bytes of all fields together; what is one field's limit only would add up."""
LONGEST_HEAD = 4096
LONGEST_BOUNDARY = 70
"""Characters (RFC 2046, section 5.1.1)."""
PIECE = 1 << 16
"""Bytes that are taken at once, at least; larger pieces are taken as they come, so that they are not copied."""
IGNORED_FILES = frozenset({"gpg_signature"})

Write = Callable[[bytes], Awaitable[None]]
Begin = Callable[[Mapping[str, Sequence[str]]], Write]


def is_form(req: falcon.asgi.Request) -> bool:
    """Whether the body is a form, as far as its Content-Type says."""
    return media_type(req)[0] in (MULTIPART, URLENCODED)


def media_type(req: falcon.asgi.Request) -> tuple[str, dict[str, str]]:
    """Return the body's media type in lower case, and its parameters."""
    kind, parameters = parse_header(req.content_type or "")
    return kind.lower(), parameters


async def read_form(req: falcon.asgi.Request, begin: Begin) -> Form:
    """Read a form to its end.

    Args:
        req: the request.
        begin: called when the file begins, with the fields that came before it; returns what takes its bytes.

    Raises:
        BadInput: it is no form, or cut off, or has a file where none belongs.
        TooLarge: it has more text than any upload needs.
    """
    kind, parameters = media_type(req)
    if kind == URLENCODED:
        return Form(await read_urlencoded(req))
    boundary = parameters.get("boundary", "")
    if not 1 <= len(boundary) <= LONGEST_BOUNDARY or not boundary.isascii():
        raise BadInput("the Content-Type of the form names no boundary between its fields")
    reading = Reading(begin)
    try:
        parser = PushMultipartParser(boundary, max_header_size=LONGEST_HEAD, max_segment_count=MOST_FIELDS)
        async for piece in pieces(req):
            for event in parser.parse(piece):
                reading.take(event)
            await reading.pass_on()
            if parser.closed:
                break
        else:
            parser.close()
    except MultipartError as error:
        raise BadInput(f"the form cannot be read: {error}") from None
    return Form(reading.fields, reading.filename or "")


async def pieces(req: falcon.asgi.Request) -> AsyncIterator[bytes]:
    """Give the body as it comes, but not in crumbs."""
    crumbs: list[bytes] = []
    size = 0
    async for chunk in req.stream:
        crumbs.append(chunk)
        size += len(chunk)
        if size >= PIECE:
            yield joined(crumbs)
            crumbs.clear()
            size = 0
    if crumbs:
        yield joined(crumbs)


class Reading:
    """A form as far as it is read."""

    def __init__(self, begin: Begin) -> None:
        self.fields: dict[str, list[str]] = {}
        self.filename: str | None = None
        self._begin = begin
        self._write: Write | None = None
        self._name = ""
        self._into: list[bytes] | None = None
        """Where the content of the present part goes; None if nobody wants it."""
        self._text: list[bytes] = []
        self._content: list[bytes] = []
        """What has come of the file and is not passed on yet."""
        self._left = 0
        """Bytes that the present field may still have."""
        self._length = 0
        """Bytes of all fields."""

    def take(self, event: Any) -> None:
        """Take what the parser has found: the head of a part, some of its content, or None for its end."""
        into = self._into
        if event is None:
            if into is self._text:
                self.fields.setdefault(self._name, []).append(text(self._name, joined(into)))
                into.clear()
        elif isinstance(event, MultipartSegment):
            self._open(event.name, event.filename)
        elif into is not None:
            if into is self._text:
                self._refuse_long(len(event))
            into.append(event)

    async def pass_on(self) -> None:
        """Hand on what has come of the file."""
        if self._content and self._write is not None:
            piece = joined(self._content)
            self._content.clear()
            await self._write(piece)

    def _open(self, name: str, filename: str | None) -> None:
        if not name:
            raise BadInput("the form cannot be read: a field has no name")
        self._name = name
        if filename is None:
            self._into = self._text
            self._left = LONGEST_DESCRIPTION if name == "description" else LONGEST_FIELD
            self._length += len(name)
        elif name == "content":
            if self.filename is not None:
                raise BadInput("the form has more than one file; upload them one by one")
            self.filename = filename
            self._write = self._begin(self.fields)
            self._into = self._content
        elif name in IGNORED_FILES:
            self._into = None
        else:
            raise BadInput(f"the field {name[:80]!a} holds a file; only 'content' may")

    def _refuse_long(self, size: int) -> None:
        self._left -= size
        self._length += size
        if self._left < 0:
            longest = LONGEST_DESCRIPTION if self._name == "description" else LONGEST_FIELD
            raise TooLarge(f"the field {self._name[:80]!a} has more than {longest} bytes")
        if self._length > LONGEST_TEXT:
            raise TooLarge(f"the fields of the form have more than {LONGEST_TEXT} bytes together")


def joined(pieces: list[bytes]) -> bytes:
    """Put pieces together; what came in one is not copied."""
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def text(name: str, data: bytes) -> str:
    """Decode a field."""
    try:
        decoded = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"the field {name[:80]!a} is not UTF-8") from None
    if "\0" in decoded:
        raise BadInput(f"the field {name[:80]!a} holds a NUL, which no text can have")
    return decoded


async def read_urlencoded(req: falcon.asgi.Request) -> dict[str, list[str]]:
    """Read a form without files."""
    data = await req.stream.read(LONGEST_DESCRIPTION + 1)
    if len(data) > LONGEST_DESCRIPTION:
        raise TooLarge(f"the form has more than {LONGEST_DESCRIPTION} bytes")
    fields: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(data.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise BadInput("the form cannot be read: it is not URL-encoded UTF-8, or has too many fields") from None
    for name, value in pairs:
        fields.setdefault(name, []).append(text(name, value.encode()))
    return fields
