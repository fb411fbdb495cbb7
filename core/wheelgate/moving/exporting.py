"""Writes an export of a server: devpi's form, and ``wheelgate.json`` beside it; from one snapshot of the database."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from sys import version_info
from typing import BinaryIO

from wheelgate.disk import create_private_file, make_private_folder, sync, write_all
from wheelgate.errors import Damaged, StartupError
from wheelgate.moving.dataindex import DATAINDEX_NAME
from wheelgate.moving.details import DETAILS_FORM, DETAILS_NAME
from wheelgate.moving.export_entries import (
    file_details,
    file_entry,
    file_relpath,
    project_details,
    siblings,
    user_details,
    user_entry,
    version_entry,
)
from wheelgate.moving.file_check import Counts
from wheelgate.moving.json_writer import JsonWriter
from wheelgate.packages import MovedFile, MovedProject, MovedRelease, StoredFile, movable
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.services.opened_server import OpenedServer
from wheelgate.store.server_state import ServerState
from wheelgate.values import ROOT, Index, User

COPIED_CHUNK_BYTES = 1 << 20
PRETENDED_VERSION = "6.20.3"
"""The version of devpi-server whose form this is; its importer shows it."""


@dataclass(slots=True)
class ExportNotes:
    """What an export leaves out, or devpi will not honour; one sentence each."""

    sentences: list[str] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        """Add a sentence."""
        self.sentences.append(sentence)


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """What to export, and how."""

    patterns: Sequence[str] = ()
    """Patterns of ``user/index``; all indices if there is none."""
    mirrored: bool = False
    """Whether to export downloaded copies of an upstream's files."""
    links: bool = False
    """Whether to link files instead of copying them."""


class ExportWriter:
    """Writes one export."""

    def __init__(
        self,
        folder: Path,
        opened: OpenedServer,
        plugins: Plugins,
        choice: ExportChoice,
        progress: Callable[[int], None],
    ) -> None:
        self.counts = Counts()
        self.notes = ExportNotes()
        self._folder = folder
        self._opened = opened
        self._server = opened.server
        self._plugins = plugins
        self._choice = choice
        self._progress = progress
        self._deleted = 0
        self._marked = 0
        """Projects with a status or yanks."""
        self._folders: set[Path] = set()

    def write(self) -> None:
        """Write everything. Call it within a snapshot of the database.

        Raises:
            StartupError: a plugin fails, or the folder cannot be written.
            Damaged: a stored file is missing or damaged.
        """
        indices = self._indices()
        users = self._users(indices)
        state = ServerState(self._server.database)
        with JsonWriter(self._folder / DATAINDEX_NAME) as data, JsonWriter(self._folder / DETAILS_NAME) as details:
            data.value("dumpversion", "2")
            data.value("pythonversion", list(version_info))
            data.value("devpi_server", PRETENDED_VERSION)
            with data.object("users"):
                for user in users:
                    password_hash = None if user.provider else self._server.users.password_hash(user.name)
                    data.value(user.name, user_entry(user, password_hash))
            details.value("form", DETAILS_FORM)
            details.value("uuid", state.uuid)
            details.value("users", user_details(users))
            details.value("plugins", self._plugin_data())
            with data.object("indexes"), details.object("indexes"):
                for index in in_order_of_bases(indices):
                    self._write_index(index, data, details)
        self.counts.users, self.counts.indices = len(users), len(indices)
        self._sync()
        if self._marked:
            self.notes.add(f"{self._marked} projects have a status or yanked versions, which devpi does not know")
        external = sum(bool(user.provider) for user in users)
        if external:
            self.notes.add(f"{external} users log in through a directory; in devpi they have no password")
        if self._deleted:
            self.notes.add(f"{self._deleted} files were deleted while the export ran, and are left out")

    def _indices(self) -> list[Index]:
        patterns = self._choice.patterns
        every = self._server.indices.list()
        chosen = [index for index in every if not patterns or any(fnmatchcase(index.path, each) for each in patterns)]
        for pattern in patterns:
            if not any(fnmatchcase(index.path, pattern) for index in every):
                raise StartupError(f"--index: no index matches {pattern!a}")
        return chosen

    def _users(self, indices: Collection[Index]) -> list[User]:
        """Return all users; with a choice of indices only root, the owners, and the users in access lists."""
        users = list(self._server.users.list())
        if not self._choice.patterns:
            return users
        named = {ROOT, *(index.owner for index in indices)}
        for index in indices:
            kind = self._opened.indices.types.get(index.type)
            for key in (each.name for each in kind.fields if each.refers_to == "principals") if kind else ():
                named.update(index.config.get(key, ()))
        return [user for user in users if user.name in named]

    def _plugin_data(self) -> dict[str, object]:
        if self._choice.patterns:
            return {}  # groups and the like belong to the whole server
        return dict(self._plugins.ask("wheelgate_export_data", server=self._server))

    def _write_index(self, index: Index, data: JsonWriter, details: JsonWriter) -> None:
        if "acl_read" in index.config:
            self.notes.add(
                f"{index.path} is private here (acl_read); in devpi everybody who reaches the server can read it"
            )
        with data.object(index.path), details.object(index.path):
            data.value("indexconfig", {"type": index.type, **index.config})
            kind = self._opened.indices.types.get(index.type)
            packages = movable(None if kind is None else kind.packages)
            if packages is None:
                self.notes.add(f"the packages of {index.path} are left out: its type {index.type!a} cannot export them")
                return
            # Projects and files are two parts of the file, so the projects are read twice: all of them may not fit.
            with data.object("projects"), details.list("projects"):
                for project in packages.moved_projects(index, mirrored=self._choice.mirrored):
                    self._write_project(project, data, details)
            with data.list("files"), details.list("files"):
                for project in packages.moved_projects(index, mirrored=self._choice.mirrored):
                    hashes = {file.path: file.stored.sha256 for _, file in _files(project)}
                    for release, file in _files(project):
                        relpath = file_relpath(
                            index, project.name, release.version, file, hashes.get(file.tested, file.stored.sha256)
                        )
                        self._write_file(index, project.name, release.version, file, relpath, data, details)

    def _write_project(self, project: MovedProject, data: JsonWriter, details: JsonWriter) -> None:
        if project.releases:
            data.value(project.name, version_entry(project))
            self.counts.projects += 1
            self.counts.versions += len(project.releases)
        known = project_details(project)
        if known is not None:
            details.item(known)
            self._marked += bool(known["yanked"] or known["status"] != "active")

    def _write_file(
        self,
        index: Index,
        project: str,
        version: str,
        file: MovedFile,
        relpath: str,
        data: JsonWriter,
        details: JsonWriter,
    ) -> None:
        target = self._folder / relpath
        if target.exists():  # an imported release may have two files of one name
            target = target.parent / file.stored.sha256 / file.name
            relpath = str(target.relative_to(self._folder))
        self._make_folder(target.parent)
        if not self._take(file.stored, target):
            return
        for kind, content in siblings(file).items():
            self._write_sibling(target.with_name(f"{target.name}.{kind}"), content)
        data.item(file_entry(index, project, version, file, relpath))
        details.item(file_details(file, relpath))
        self.counts.files += 1
        self.counts.bytes += file.stored.size
        self._progress(file.stored.size)

    def _take(self, stored: StoredFile, target: Path) -> bool:
        """Copy or link a stored file; False if a running server has deleted it since the snapshot."""
        place = self._server.files.local_path(stored) if self._choice.links else None
        try:
            source = self._server.files.open(stored)
        except Damaged:
            if self._still_referenced(stored):
                raise
            self._deleted += 1
            return False
        with source:
            if place is None or not _link(place, target):
                _copy(source, target)
        return True

    def _still_referenced(self, stored: StoredFile) -> bool:
        """Return whether a release has a file now; another thread does not see the snapshot."""
        with ThreadPoolExecutor(1) as thread:
            sources = self._opened.sources()
            return thread.submit(lambda: any(source.references(stored.sha256) for source in sources)).result()

    def _write_sibling(self, target: Path, content: bytes) -> None:
        descriptor = create_private_file(target)
        try:
            write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _make_folder(self, folder: Path) -> None:
        if folder not in self._folders:
            make_private_folder(folder)
            self._folders.add(folder)

    def _sync(self) -> None:
        """Wait until all names are on the disk."""
        for folder in sorted({self._folder, *self._folders, *(each.parent for each in self._folders)}):
            sync(folder)


def in_order_of_bases(indices: Sequence[Index]) -> Iterator[Index]:
    """Yield indices, each after its bases: devpi's importer creates them in this order."""
    by_path = {index.path: index for index in indices}
    done: set[str] = set()
    for first in indices:
        waiting, begun = [first.path], set[str]()
        while waiting:
            index = by_path[waiting[-1]]
            begun.add(index.path)
            bases = [path for path in index.config.get("bases", ()) if path in by_path]
            missing = [path for path in bases if path not in done and path not in begun]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if index.path not in done:
                done.add(index.path)
                yield index


def _files(project: MovedProject) -> Iterator[tuple[MovedRelease, MovedFile]]:
    """Yield the files of a project; the results of tests last, because devpi's importer looks for the tested files."""
    for results in (False, True):
        for release in project.releases:
            for file in release.files:
                if (file.rel == "toxresult") is results:
                    yield release, file


def _link(place: Path, target: Path) -> bool:
    """Link a stored file; False if the file system cannot."""
    with suppress(OSError):
        os.link(place, target)
        return True
    return False


def _copy(source: BinaryIO, target: Path) -> None:
    descriptor = create_private_file(target)
    try:
        while chunk := source.read(COPIED_CHUNK_BYTES):
            write_all(descriptor, chunk)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
