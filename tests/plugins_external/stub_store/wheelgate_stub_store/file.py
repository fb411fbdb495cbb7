"""The file of both stores."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unicodedata import normalize

Content = dict[str, dict[str, Any]]


class JsonFile:
    """A JSON object with ``users`` and ``indices``, which all workers share and read each time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Content:
        """Return the content."""
        try:
            content: Content = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {"users": {}, "indices": {}}
        return content

    @contextmanager
    def change(self) -> Iterator[Content]:
        """Yield the content, and write it back unless the block raises an exception."""
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            content = self.read()
            yield content
            draft = self._path.with_suffix(".draft")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)


def fold(name: str) -> str:
    """Return what look-alike names have in common."""
    return normalize("NFKC", normalize("NFKC", name).casefold())
