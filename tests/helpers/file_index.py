"""An index type for tests: its files are those that a test lays on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from wheelgate import Deny, Index, Principal, Resource, Server, hookimpl
from wheelgate.errors import NotFound, Refusal
from wheelgate.fields import IndexType
from wheelgate.packages import Project, StoredFile
from wheelgate.testing.site import Answer, Site


class Shelf:
    """The plugin, its one index ``root/shelf``, and the source of that index's files."""

    instant = True
    last = False
    server: Server

    def __init__(self) -> None:
        self.lying: dict[str, Any] = {}
        """What ``open`` returns or raises, by path."""
        self.siblings: dict[str, bytes] = {}
        self.known: dict[str, Project] = {}
        self.closed_to: frozenset[str | None] = frozenset()
        """Who may not read."""

    @hookimpl
    def wheelgate_index_types(self, server: Server) -> Iterable[IndexType]:
        """Bring the type."""
        self.server = server
        return [IndexType("shelf", (), takes_uploads=False, packages=self)]  # type: ignore[arg-type]

    @hookimpl
    def wheelgate_first_indices(self) -> Iterable[Index]:
        """Give a new server the index."""
        return [Index("root", "shelf", "shelf", {})]

    @hookimpl
    def wheelgate_check_permission(self, principal: Principal, permission: str, resource: Resource) -> Deny | None:
        """Close the shelf to some."""
        closed = permission == "index_read" and principal.name in self.closed_to
        return Deny("the shelf is closed") if closed else None

    def lay(self, path: str, content: bytes) -> StoredFile:
        """Take a file in, the way uploads go."""
        files = self.server.files
        draft = files.receive()
        draft.write(content)
        whole = draft.finish()
        files.store(whole)
        with self.server.database.transaction():
            files.ensure_stored(whole)
            self.lying[path] = whole.stored
        files.clean_up(whole)
        return whole.stored

    def drop(self, *paths: str) -> None:
        """Remove files, the way deletions go."""
        with self.server.database.transaction():
            self.server.files.mark_unreferenced(self.lying.pop(path).sha256 for path in paths)

    def open(self, index: Index, path: str) -> Any:
        """Return what lies there."""
        found = self.lying.get(path, NotFound("no such file"))
        if isinstance(found, Refusal):
            raise found
        return found() if callable(found) else found

    def project(self, index: Index, name: str) -> Project | None:
        """Return a project that a test described."""
        return self.known.get(name)

    def core_metadata(self, index: Index, path: str) -> bytes:
        """Return the sibling."""
        if path not in self.siblings:
            raise NotFound("there is no metadata of it")
        return self.siblings[path]

    provenance = core_metadata

    def references(self, sha256: str) -> bool:
        """Say whether anything of that hash lies here."""
        return any(stored.sha256 == sha256 for stored, _ in self.stored_files())

    def stored_files(self) -> Iterator[tuple[StoredFile, str]]:
        """Name what lies here."""
        for path, found in list(self.lying.items()):
            if isinstance(found, StoredFile):
                yield found, f"root/shelf/{path}"


class ShelfSite(Site):
    """A server that holds the shelf and nothing else."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.shelf = Shelf()
        super().__init__(folder, extra={"shelf": self.shelf}, no_plugin=["stage", "mirror"], **options)

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Ask for a file of the shelf; the names of headers are given with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(method, f"/root/shelf/{path}", headers=named)
