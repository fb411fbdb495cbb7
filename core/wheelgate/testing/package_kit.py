"""What the tests of package targets have in common: indices, uploads, and looking at what there is."""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import pytest

from wheelgate.packages import CheckedUpload, File, PackageTarget, ReceivedFile, RecordedUpload, UploadForm
from wheelgate.server import Server
from wheelgate.values import Index

T = TypeVar("T")
Make = Callable[[str, str, int], tuple[UploadForm, bytes]]
Removal = Callable[[PackageTarget, Index], None]


class Uploader:
    """Uploads to a target as core does: received, inspected, kept, recorded."""

    def __init__(self, server: Server, target: PackageTarget, make: Make) -> None:
        self._server = server
        self._target = target
        self._make = make

    def __call__(self, index: Index, project: str = "demo", version: str = "1.0", number: int = 0) -> RecordedUpload:
        """Upload a file of that project and version as alice."""
        form, content = self._make(project, version, number)
        with self.kept(content, lambda file: self._target.check_upload(index, form, file)) as (file, inspected):
            return self._record(file, lambda: self._target.record_upload(index, inspected, "alice"))

    def result(self, index: Index, path: str, content: bytes = b"{}") -> str:
        """Add the result of a test as bob."""
        with self.kept(content, lambda file: file.stored) as (file, stored):
            return self._record(file, lambda: self._target.add_test_result(index, path, stored, "bob"))

    def inspected(
        self, index: Index, version: str = "1.0"
    ) -> AbstractContextManager[tuple[ReceivedFile, CheckedUpload]]:
        """Return an upload that is inspected and kept, and dropped at the end."""
        form, content = self._make("demo", version, 0)
        return self.kept(content, lambda file: self._target.check_upload(index, form, file))

    @contextmanager
    def kept(self, content: bytes, check: Callable[[ReceivedFile], T]) -> Iterator[tuple[ReceivedFile, T]]:
        """Receive a file, check it, keep it, and drop the draft at the end."""
        files = self._server.files
        draft = files.receive()
        draft.write(content)
        file = draft.finish()
        try:
            checked = check(file)
            files.store(file)
            yield file, checked
        finally:
            files.clean_up(file)

    def _record(self, file: ReceivedFile, record: Callable[[], T]) -> T:
        with self._server.database.transaction():
            self._server.files.ensure_stored(file)
            return record()


def state(target: PackageTarget, *indices: Index) -> Any:
    """Return everything that a target says of the project ``demo``."""
    return [
        (
            list(target.projects(index).names),
            target.project(index, "demo"),
            list(target.releases(index, "demo")),
            target.claims(index, "demo"),
        )
        for index in indices
    ] + [sorted(label for _, label in target.stored_files())]


def only(target: PackageTarget, index: Index) -> File:
    """Return the one file of the project ``demo``."""
    project = target.project(index, "demo")
    assert project is not None
    (file,) = project.files
    return file


def delete(name: str = "demo", version: str | None = None) -> Removal:
    """Return what removes a project or a version."""
    return lambda target, index: target.delete(index, name, version)


def delete_file(target: PackageTarget, index: Index) -> None:
    """Remove the first file of ``demo``."""
    project = target.project(index, "demo")
    assert project is not None
    target.delete(index, "demo", None, project.files[0].path)


class PackageFixtures:
    """The fixtures of these tests; ``server``, ``target`` and ``make`` come from who tests."""

    @pytest.fixture
    def index(self, server: Server) -> Index:
        """Return an index that files may be replaced on."""
        return self.added(server, Index("alice", "dev", "stage", {"volatile": True}))

    @pytest.fixture
    def other(self, server: Server) -> Index:
        """Return another one."""
        return self.added(server, Index("bob", "dev", "stage", {"volatile": True}))

    @pytest.fixture
    def frozen(self, server: Server) -> Index:
        """Return an index that keeps what it has."""
        return self.added(server, Index("alice", "prod", "stage", {"volatile": False}))

    @pytest.fixture
    def upload(self, server: Server, target: PackageTarget, make: Make) -> Uploader:
        """Return what uploads."""
        return Uploader(server, target, make)

    def added(self, server: Server, index: Index) -> Index:
        """Add an index to the store."""
        with server.database.transaction():
            server.indices.create(index)
        return index
