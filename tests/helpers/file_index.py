"""An index type for tests, with the files that a test adds to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from wheelgate import Deny, Index, Principal, Resource, Server, hookimpl
from wheelgate.errors import NotFound, Refusal
from wheelgate.fields import IndexType
from wheelgate.packages import Project, StoredFile
from wheelgate.testing.site import Response, Site


class Shelf:
    """The plugin, its only index ``root/shelf``, and the package source of that index."""

    instant = True
    last = False
    server: Server

    def __init__(self) -> None:
        self.lying: dict[str, Any] = {}
        """What ``open`` returns, raises or calls, by path."""
        self.siblings: dict[str, bytes] = {}
        self.known: dict[str, Project] = {}
        self.closed_to: frozenset[str | None] = frozenset()
        """The users who may not read the index; None stands for requests without a login."""

    @hookimpl
    def wheelgate_index_types(self, server: Server) -> Iterable[IndexType]:
        """Provide the type."""
        self.server = server
        return [IndexType("shelf", (), takes_uploads=False, packages=self)]  # type: ignore[arg-type]

    @hookimpl
    def wheelgate_first_indices(self) -> Iterable[Index]:
        """Give a new server the index ``root/shelf``."""
        return [Index("root", "shelf", "shelf", {})]

    @hookimpl
    def wheelgate_check_permission(self, principal: Principal, permission: str, resource: Resource) -> Deny | None:
        """Refuse the users in ``closed_to``."""
        closed = permission == "index_read" and principal.name in self.closed_to
        return Deny("the shelf is closed") if closed else None

    def lay(self, path: str, content: bytes) -> StoredFile:
        """Store a file in the way of an upload."""
        files = self.server.files
        incoming = files.receive()
        incoming.write(content)
        received = incoming.finish()
        files.store(received)
        with self.server.database.transaction():
            files.ensure_stored(received)
            self.lying[path] = received.stored
        files.clean_up(received)
        return received.stored

    def drop(self, *paths: str) -> None:
        """Remove files in the way of a deletion."""
        with self.server.database.transaction():
            self.server.files.mark_unreferenced(self.lying.pop(path).sha256 for path in paths)

    def open(self, index: Index, path: str) -> Any:
        """Return the file at a path, or raise its error."""
        found = self.lying.get(path, NotFound("no such file"))
        if isinstance(found, Refusal):
            raise found
        return found() if callable(found) else found

    def project(self, index: Index, name: str) -> Project | None:
        """Return a project from ``known``."""
        return self.known.get(name)

    def core_metadata(self, index: Index, path: str) -> bytes:
        """Return the metadata or provenance from ``siblings``."""
        if path not in self.siblings:
            raise NotFound("there is no metadata of it")
        return self.siblings[path]

    provenance = core_metadata

    def references(self, sha256: str) -> bool:
        """Say whether a file has that hash."""
        return any(stored.sha256 == sha256 for stored, _ in self.stored_files())

    def stored_files(self) -> Iterator[tuple[StoredFile, str]]:
        """Yield the stored files."""
        for path, found in list(self.lying.items()):
            if isinstance(found, StoredFile):
                yield found, f"root/shelf/{path}"


class ShelfSite(Site):
    """A server with the shelf instead of ``stage`` and ``mirror``."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.shelf = Shelf()
        super().__init__(folder, extra={"shelf": self.shelf}, no_plugin=["stage", "mirror"], **options)

    def get(self, path: str, method: str = "GET", **headers: str) -> Response:
        """Request a file of the shelf; header names have underscores instead of hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(method, f"/root/shelf/{path}", headers=named)
