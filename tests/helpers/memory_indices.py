"""Two index types with packages in memory, as small as the contract of package sources allows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from wheelgate import Index, Server, hookimpl
from wheelgate.errors import NotFound, Refusal
from wheelgate.fields import Field, IndexType, parse_bases, parse_choice, parse_principals, parse_projects
from wheelgate.packages import File, FileRecord, OngoingDownload, Project, ProjectList, Release, StoredFile

MODES = ("intersection", "union")
READERS = Field("acl_read", parse_principals, many=True, refers_to="principals")
FIELDS = (
    READERS,
    Field("bases", parse_bases, many=True, refers_to="indices"),
    Field("mirror_whitelist", parse_projects, many=True),
    Field("mirror_whitelist_inheritance", parse_choice("mirror_whitelist_inheritance", MODES)),
)


def file(name: str, sha256: str = "", **more: Any) -> File:
    """Make a file, with the version in its name and a hash made from its name."""
    sha256 = sha256 or name.encode().hex().ljust(64, "0")[:64]
    version = name.split("-")[1].removesuffix(".tar.gz")
    return File(name, version, f"+f/{sha256[:3]}/{sha256[3:16]}/{name}", {"sha256": sha256}, **more)


def project(name: str, *files: File | str, **more: Any) -> Project:
    """Make a project from its files or their names."""
    whole = tuple(each if isinstance(each, File) else file(each) for each in files)
    return Project(name, whole, tuple(dict.fromkeys(each.version for each in whole)), **more)


class Gate:
    """Holds threads until it is opened, and counts them."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self._arrivals = threading.Semaphore(0)

    def open(self) -> None:
        """Let all threads continue."""
        self._opened.set()

    def wait(self) -> None:
        """Arrive at the gate, and continue when it is open."""
        self._arrivals.release()
        self._opened.wait(60)

    async def arrival(self) -> None:
        """Wait for the next thread to arrive."""
        await asyncio.to_thread(self._arrivals.acquire, timeout=60)


class Shelves:
    """A package source that returns what a test puts into it."""

    def __init__(self, *, last: bool) -> None:
        self.last = last
        self.instant = not last
        self.asked: list[tuple[str, str]] = []
        """The calls of :meth:`project`: the index and the name."""
        self.taken: set[str] = set()
        """Names that every index of this type claims without having the project."""
        self._projects: dict[tuple[str, str], Project | Refusal] = {}
        self._releases: dict[tuple[str, str], Sequence[Release]] = {}
        self._listings: dict[str, ProjectList | Refusal] = {}
        self._gates: dict[str, Gate] = {}
        self._stamps: dict[tuple[str, str], int] = {}

    def serve(self, server: Server) -> None:
        """Set the server."""
        self._server = server

    def put(self, path: str, name: str, what: Project | Refusal) -> None:
        """Put a project on an index, or an error to raise instead."""
        with self._server.database.transaction():
            self._projects[path, name] = what
            for stamped in (name, ""):
                self._stamps[path, stamped] = self._stamps.get((path, stamped), 0) + 1

    def put_releases(self, path: str, name: str, *releases: Release) -> None:
        """Put releases of a project on an index."""
        self._releases[path, name] = releases

    def put_listing(self, path: str, listing: ProjectList | Refusal) -> None:
        """Put a list of projects on an index, or an error; it replaces the list of the put projects."""
        self._listings[path] = listing

    def hold(self, name: str, gate: Gate) -> None:
        """Make :meth:`project` wait at a gate for a name; it then returns what the index had before the wait."""
        self._gates[name] = gate

    def stamp(self, index: Index, project: str = "") -> int:
        """Return the number of changes."""
        return self._stamps.get((index.path, project), 0)

    def projects(self, index: Index) -> ProjectList:
        """Return the names of the put projects, or the put list."""
        if index.path in self._listings:
            listing: ProjectList = _given(self._listings[index.path])
            return listing
        return ProjectList(sorted(name for path, name in self._projects if path == index.path))

    def project(self, index: Index, name: str) -> Project | None:
        """Return the put project, or raise the put error."""
        self.asked.append((index.path, name))
        found = self._projects.get((index.path, name))
        if name in self._gates:
            self._gates[name].wait()
        return None if found is None else _given(found)

    def claims(self, index: Index, name: str) -> bool:
        """Claim the put projects and the names in ``taken``."""
        return (index.path, name) in self._projects or name in self.taken

    def releases(self, index: Index, name: str) -> Sequence[Release]:
        """Return the put releases, or releases without files for the versions of the put project."""
        given = self._projects.get((index.path, name))
        found = _given(given) if given is not None else None
        versions = found.versions if found is not None else ()
        bare = [Release(name, version, {"name": name, "version": version}) for version in versions]
        return self._releases.get((index.path, name), bare)

    def open(self, index: Index, path: str) -> StoredFile | OngoingDownload:
        """Raise ``NotFound``: there are no files."""
        raise NotFound(f"no such file: {path}")

    def core_metadata(self, index: Index, path: str) -> bytes:
        """Raise ``NotFound``: there are no files."""
        raise NotFound(f"no such file: {path}")

    def provenance(self, index: Index, path: str) -> bytes:
        """Raise ``NotFound``: there are no files."""
        raise NotFound(f"no such file: {path}")

    def fetch_release(self, index: Index, name: str, version: str) -> Release:
        """Raise ``NotFound``: there are no files."""
        raise NotFound(f"no release {name} {version}")

    def refresh(self, index: Index, name: str) -> None:
        """Do nothing: there is no upstream."""

    def delete(self, index: Index, name: str, version: str | None = None, path: str | None = None) -> None:
        """Remove a project."""
        self._projects.pop((index.path, name), None)

    def forget(self, index: Index) -> None:
        """Remove all projects of an index."""
        for path, name in [key for key in self._projects if key[0] == index.path]:
            del self._projects[path, name]
            self._stamps[path, name] += 1

    def references(self, sha256: str) -> bool:
        """Refer to no stored file."""
        return False

    def stored_files(self) -> Iterator[tuple[StoredFile, str]]:
        """Return no stored file."""
        return iter(())

    def file_records(self) -> Iterator[FileRecord]:
        """Return no stored file."""
        return iter(())

    def mark_lost(self, sha256: str) -> None:
        """Do nothing: there are no stored files."""


class ShelvesPlugin:
    """Provides the types ``near``, which answers first, and ``far``, which answers last, as mirrors do."""

    def __init__(self) -> None:
        self.near = Shelves(last=False)
        self.far = Shelves(last=True)

    @hookimpl
    def wheelgate_index_types(self, server: Server) -> Iterable[IndexType]:
        """Provide the two types."""
        self.near.serve(server)
        self.far.serve(server)
        return [
            IndexType("near", FIELDS, takes_uploads=False, packages=self.near),
            IndexType("far", (READERS,), takes_uploads=False, packages=self.far),
        ]


def _given(what: Any) -> Any:
    if isinstance(what, Refusal):
        raise what
    return what
