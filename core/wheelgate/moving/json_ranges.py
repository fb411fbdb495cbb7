"""Reads a JSON file of any length piece by piece: it finds where values begin and end, and decodes only small ones.

The file of an export has a megabyte for each thousand files; as Python objects it takes five times as much memory.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

from wheelgate.moving.findings import FaultError

MAX_JSON_BYTES = 2 << 30
"""Bytes of a file."""
MAX_VALUE_BYTES = 64 << 20
"""Bytes of a value that is decoded as a whole, such as the versions of one project."""
MAX_DEPTH = 100
"""Objects and lists inside of each other; real exports have a dozen, and orjson takes a thousand."""
RELEASED_BYTES = 16 << 20
"""Bytes after which the pages of the file that were read are given back to the system."""
UP_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+([{}\[\]])', re.DOTALL)
"""Everything up to the next bracket that is not within a string; possessive, so that it never looks back."""
WHITESPACE_AND_COMMA = b" \t\r\n,"
CLOSING = {b"{": b"}", b"[": b"]"}


@dataclass(frozen=True, slots=True)
class Range:
    """Where an object or a list is in the file, with its brackets."""

    start: int
    end: int


class JsonFile:
    """A JSON file, mapped into memory; close it at the end."""

    def __init__(self, descriptor: int, name: str) -> None:
        """Map an open file; ``name`` is what messages call it.

        Raises:
            FaultError: the file is empty, or too long.
        """
        self._name = name
        size = os.fstat(descriptor).st_size
        if size > MAX_JSON_BYTES:
            raise FaultError(f"{name} has {size} bytes; an export has at most {MAX_JSON_BYTES}")
        if not size:
            raise FaultError(f"{name} is empty")
        self._map = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
        self._released = 0
        self._loaded = 0
        """Bytes that were decoded since pages were given back."""

    def close(self) -> None:
        """Unmap the file, unless a search in it was interrupted and still refers to it."""
        with suppress(BufferError):
            self._map.close()

    def whole(self) -> Range:
        """Return the range of the one object in the file.

        Raises:
            FaultError: the file has anything else.
        """
        size = len(self._map)
        start = next((at for at in range(min(size, 1000)) if self._map[at] not in b" \t\r\n"), 0)
        end = size
        while end > start and self._map[end - 1] in b" \t\r\n":
            end -= 1
        if self._map[start : start + 1] != b"{" or self._map[end - 1 : end] != b"}":
            raise FaultError(f"{self._name} does not contain one JSON object")
        return Range(start, end)

    def is_object(self, of: Range) -> bool:
        """Return whether a value is an object, and no list."""
        return self._map[of.start : of.start + 1] == b"{"

    def members(self, of: Range) -> Iterator[tuple[str, Any]]:
        """Yield the keys of an object with their values; those that are objects or lists as ranges.

        Raises:
            FaultError: it is no object, or no JSON.
        """
        for before, child in self._children(of, "an object", b"{"):
            text = before.strip(WHITESPACE_AND_COMMA)
            if not text:
                continue
            pairs = self._decode(b"{%b%b}" % (text, b"null" if child is not None else b""), of)
            last = list(pairs)[-1] if child is not None and pairs else None
            for key, value in pairs.items():
                yield key, child if key == last else value

    def items(self, of: Range) -> Iterator[Range]:
        """Yield the ranges of a list of objects.

        Raises:
            FaultError: it is no list, has anything else, or is no JSON.
        """
        for before, child in self._children(of, "a list", b"["):
            if before.strip(WHITESPACE_AND_COMMA) or (child is not None and self._map[child.start] != ord("{")):
                raise FaultError(f"{self._name}: a list at byte {of.start} has something else than objects")
            if child is not None:
                yield child

    def load(self, of: Range) -> Any:
        """Decode a value.

        Raises:
            FaultError: it is too long, or no JSON.
        """
        if of.end - of.start > MAX_VALUE_BYTES:
            raise FaultError(f"{self._name}: the value at byte {of.start} has more than {MAX_VALUE_BYTES} bytes")
        self._loaded += of.end - of.start
        if self._loaded > RELEASED_BYTES:
            self._release(of.start)
        return self._decode(self._map[of.start : of.end], of)

    def _decode(self, text: bytes, of: Range) -> Any:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise FaultError(f"{self._name} is not JSON near byte {of.start}: {error.msg}") from None

    def _children(self, of: Range, what: str, opening: bytes) -> Iterator[tuple[bytes, Range | None]]:
        """Yield each object or list in a container with the text before it; at the end, the rest of the text."""
        if self._map[of.start : of.start + 1] != opening:
            raise FaultError(f"{self._name} is not {what} at byte {of.start}")
        depth, position, text_start, child_start = 1, of.start + 1, of.start + 1, 0
        while depth:
            found = UP_TO_BRACKET.match(self._map, position, of.end)
            if found is None:
                self._refuse_rest(of)
            position = found.end()
            if abs(position - self._released) > RELEASED_BYTES:
                self._release(position)
            if found[1] in b"{[":
                depth += 1
                if depth == 2:
                    child_start = position - 1
                elif depth > MAX_DEPTH:
                    raise FaultError(f"{self._name} has more than {MAX_DEPTH} nested values at byte {position}")
                continue
            depth -= 1
            if depth == 0 and found[1] != CLOSING[opening]:
                self._refuse_rest(of)
            if depth == 1:
                yield self._map[text_start:child_start], Range(child_start, position)
                text_start = position
        if position != of.end:
            self._refuse_rest(of)
        yield self._map[text_start : position - 1], None

    def _refuse_rest(self, of: Range) -> NoReturn:
        raise FaultError(f"{self._name} is not JSON: the value at byte {of.start} does not end")

    def _release(self, position: int) -> None:
        """Give back the pages that were read, so that memory does not grow with the file."""
        self._released, self._loaded = position, 0
        with suppress(AttributeError, OSError):  # not every system has it
            self._map.madvise(mmap.MADV_DONTNEED)
