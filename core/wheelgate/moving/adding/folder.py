"""Release files in a folder and the folders below it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from wheelgate.errors import BadInput
from wheelgate.moving.adding.offers import Offer, mtime, parsed_filename

RELEASE_SUFFIXES = (".whl", ".tar.gz", ".zip")
"""The ends of the names of wheels and sdists; files with other names are left alone."""


class Folder:
    """A folder as a source."""

    def __init__(self, path: Path) -> None:
        """Take its path.

        Raises:
            BadInput: it is no folder.
        """
        if not path.is_dir():
            raise BadInput(f"--from-folder: {path} is not a folder")
        self._path = path
        self._files = self._find()

    def names(self) -> Iterator[str]:
        """Yield the names of the projects; an empty one stands for files whose names are those of no release."""
        yield from sorted(self._files)

    def offers(self, name: str) -> list[Offer]:
        """Return the files of a project."""
        return [self._offer(path) for path in sorted(self._files[name])]

    def _find(self) -> dict[str, list[str]]:
        """Return the paths of the release files by project. It keeps them in memory, some hundred bytes each."""
        found: dict[str, list[str]] = {}
        for folder, folders, names in os.walk(self._path):
            folders.sort()
            for name in names:
                if name.endswith(RELEASE_SUFFIXES):
                    project, _ = parsed_filename(name) or ("", "")
                    found.setdefault(project, []).append(f"{folder}/{name}")
        return found

    def _offer(self, path: str) -> Offer:
        """Return a file as an offer; links are not followed."""
        name = path.rpartition("/")[2]
        project, version = parsed_filename(name) or ("", "")

        @contextmanager
        def opened() -> Iterator[BinaryIO]:
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                raise BadInput(f"it cannot be read: {error.strerror}") from None
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise BadInput("it is not a regular file")
                yield file

        return Offer(name, project, version, opened, uploaded=mtime(os.lstat(path).st_mtime))
