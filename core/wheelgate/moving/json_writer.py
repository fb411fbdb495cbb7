"""Writes a large JSON file piece by piece: objects and lists are opened and closed, values are written whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import orjson

from wheelgate.disk import create_private_file

BUFFER_BYTES = 1 << 20
INDENT = "  "


class JsonWriter:
    """A new JSON file of one object, with an indent of two blanks."""

    def __init__(self, path: Path) -> None:
        """Take the path; the file gets it when it is complete, and is readable by its owner only."""
        self._path = path
        self._unfinished = path.with_name(f"{path.name}.part")
        self._file = os.fdopen(create_private_file(self._unfinished), "wb", BUFFER_BYTES)
        self._depth = 0
        self._first = True

    def __enter__(self) -> Self:
        self._open("{")
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        try:
            if kind is None:
                self._close("}")
                self._file.write(b"\n")
                self._file.flush()
                os.fsync(self._file.fileno())
                self._unfinished.rename(self._path)
        finally:
            self._file.close()

    def value(self, key: str, value: Any) -> None:
        """Write a member of the open object."""
        self._begin(key)
        self._write(value)

    def item(self, value: Any) -> None:
        """Write an item of the open list."""
        self._begin(None)
        self._write(value)

    @contextmanager
    def object(self, key: str) -> Iterator[None]:
        """Write an object as a member of the open one."""
        self._begin(key)
        self._open("{")
        yield
        self._close("}")

    @contextmanager
    def list(self, key: str) -> Iterator[None]:
        """Write a list as a member of the open object."""
        self._begin(key)
        self._open("[")
        yield
        self._close("]")

    def _begin(self, key: str | None) -> None:
        self._file.write(b"\n" if self._first else b",\n")
        self._file.write(INDENT.encode() * self._depth)
        if key is not None:
            self._file.write(orjson.dumps(key) + b": ")
        self._first = False

    def _open(self, bracket: str) -> None:
        self._file.write(bracket.encode())
        self._depth += 1
        self._first = True

    def _close(self, bracket: str) -> None:
        self._depth -= 1
        if not self._first:
            self._file.write(b"\n" + INDENT.encode() * self._depth)
        self._file.write(bracket.encode())
        self._first = False

    def _write(self, value: Any) -> None:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2)
        self._file.write(text.replace(b"\n", b"\n" + INDENT.encode() * self._depth))
