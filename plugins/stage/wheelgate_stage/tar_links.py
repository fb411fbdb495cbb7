"""The names and links in a tar, checked together: a chain of harmless links can lead out of the archive's folder.

Tools that unpack a tar may follow a link from an earlier entry on the way to the place of a later one (CVE-2007-4559,
CVE-2025-4330, CVE-2025-4517). Here, no name and no target may go through a link.
"""

from __future__ import annotations

import tarfile
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from wheelgate_stage.limits import check_entry_name, refused_archive


class TarNames:
    """The names of the entries so far, as systems that ignore case see them."""

    def __init__(self, archive: str) -> None:
        self._archive = archive
        self._files: set[str] = set()
        self._links: dict[str, str] = {}
        """Names of links as they are written, by their folded names."""
        self._folders: set[str] = set()
        """Folders that names and targets go through."""
        self.top = ""
        """The folder of all entries; empty before the first one."""

    def add(self, entry: tarfile.TarInfo) -> None:
        """Add an entry.

        Raises:
            BadInput: it, or its target, lies outside of the archive's folder, or it is no file, folder or link.
        """
        check_entry_name(self._archive, entry.name)
        parts = PurePosixPath(entry.name).parts
        self._check_top(entry, parts)
        name = _folded(parts)
        if entry.isreg():
            self._files.add(name)
        elif entry.islnk():
            self._check_hard_link(entry)
            self._files.add(name)
        elif entry.issym():
            self._links[name] = entry.name
            self._add_folders(self._target(entry, parts))
        elif not entry.isdir():
            raise self._refused(entry, "is neither a file nor a folder nor a link")
        else:
            self._folders.add(name)
        self._add_folders(parts)

    def finish(self) -> None:
        """Raise ``BadInput`` if a name or a target goes through a link, or a link has the name of another entry."""
        crossed = next(
            (link for name, link in self._links.items() if name in self._folders or name in self._files), None
        )
        if crossed is not None:
            raise refused_archive(self._archive, f"another entry lies behind its link {crossed[:80]!a}")

    def _check_top(self, entry: tarfile.TarInfo, parts: Sequence[str]) -> None:
        top = parts[0] if parts else self.top  # the entry "./" has no parts
        if self.top and top != self.top:
            raise self._refused(entry, f"is not in its folder {self.top[:80]!a}")
        self.top = top

    def _check_hard_link(self, entry: tarfile.TarInfo) -> None:
        check_entry_name(self._archive, entry.linkname, "link to")
        if _folded(PurePosixPath(entry.linkname).parts) not in self._files:
            raise self._refused(entry, "is a hard link to something that is no file before it")

    def _target(self, entry: tarfile.TarInfo, parts: Sequence[str]) -> list[str]:
        """Return where a link leads to, from the top. Raise ``BadInput`` if that is outside of the folder."""
        found = list(parts[:-1])
        for part in PurePosixPath(entry.linkname).parts:
            if part == "..":
                self._add_folders([*found, ""])
                found = found[:-1]
            else:
                found.append(part)
            if not found or part == "/" or "\\" in part or ":" in part or "\0" in part:
                raise refused_archive(self._archive, f"its link {entry.name[:80]!a} leads out of the archive")
        return found

    def _add_folders(self, parts: Sequence[str]) -> None:
        """Add the folders that a path goes through; a folder that is known has brought those above it."""
        end = len(parts) - 1
        while end > 0 and (folder := _folded(parts[:end])) not in self._folders:
            self._folders.add(folder)
            end -= 1

    def _refused(self, entry: tarfile.TarInfo, why: str) -> Exception:
        return refused_archive(self._archive, f"its entry {entry.name[:80]!a} {why}")


def _folded(parts: Sequence[str]) -> str:
    return unicodedata.normalize("NFC", "/".join(parts)).casefold()
