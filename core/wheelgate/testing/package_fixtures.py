"""The indices, uploads and comparisons that all contract tests of package targets share."""

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
MakeUpload = Callable[[str, str, int], tuple[UploadForm, bytes]]
"""Makes the form and the content of an upload from project, version and number; the number changes the content only."""
Change = Callable[[PackageTarget, Index], None]
"""Changes the packages of an index; the caller opens the transaction."""


class Uploader:
    """Uploads to a target as the core does: receives, checks, stores and records a file."""

    def __init__(self, server: Server, target: PackageTarget, make_upload: MakeUpload) -> None:
        self._server = server
        self._target = target
        self._make_upload = make_upload

    def __call__(self, index: Index, project: str = "demo", version: str = "1.0", number: int = 0) -> RecordedUpload:
        """Upload a file of this project and version as alice."""
        form, content = self._make_upload(project, version, number)
        with self.received_file(content, lambda file: self._target.check_upload(index, form, file)) as (file, checked):
            return self._record(file, lambda: self._target.record_upload(index, checked, "alice"))

    def add_test_result(self, index: Index, path: str, content: bytes = b"{}") -> str:
        """Upload a test result for the file at ``path`` as bob; return the path of the result."""
        with self.received_file(content, lambda file: file.stored) as (file, stored):
            return self._record(file, lambda: self._target.add_test_result(index, path, stored, "bob"))

    def checked_upload(
        self, index: Index, version: str = "1.0"
    ) -> AbstractContextManager[tuple[ReceivedFile, CheckedUpload]]:
        """Check an upload and store its file, without recording it; clean up at the end."""
        form, content = self._make_upload("demo", version, 0)
        return self.received_file(content, lambda file: self._target.check_upload(index, form, file))

    @contextmanager
    def received_file(self, content: bytes, check: Callable[[ReceivedFile], T]) -> Iterator[tuple[ReceivedFile, T]]:
        """Receive a file, check it and store it; clean up at the end."""
        files = self._server.files
        incoming = files.receive()
        incoming.write(content)
        file = incoming.finish()
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


def snapshot(target: PackageTarget, *indices: Index) -> Any:
    """Return everything that a target tells about the project ``demo`` on these indices, to compare."""
    return [
        (
            list(target.projects(index).names),
            target.project(index, "demo"),
            list(target.releases(index, "demo")),
            target.claims(index, "demo"),
        )
        for index in indices
    ] + [sorted(label for _, label in target.stored_files())]


def only_file(target: PackageTarget, index: Index) -> File:
    """Return the only file of the project ``demo``."""
    project = target.project(index, "demo")
    assert project is not None, "return the project: it has a file"
    (file,) = project.files
    return file


def deletion(name: str = "demo", version: str | None = None) -> Change:
    """Return a change that deletes a project, or one of its versions."""
    return lambda target, index: target.delete(index, name, version)


def delete_first_file(target: PackageTarget, index: Index) -> None:
    """Delete the first file of the project ``demo``."""
    project = target.project(index, "demo")
    assert project is not None, "return the project: it has a file"
    target.delete(index, "demo", None, project.files[0].path)


class PackageFixtures:
    """The fixtures of these tests; the subclass adds ``server``, ``target`` and ``make_upload``."""

    @pytest.fixture
    def index(self, server: Server) -> Index:
        """Return alice's volatile index: uploads may replace its files."""
        return self.create_index(server, Index("alice", "dev", "stage", {"volatile": True}))

    @pytest.fixture
    def other_index(self, server: Server) -> Index:
        """Return bob's volatile index."""
        return self.create_index(server, Index("bob", "dev", "stage", {"volatile": True}))

    @pytest.fixture
    def non_volatile_index(self, server: Server) -> Index:
        """Return alice's non-volatile index: uploads cannot replace its files."""
        return self.create_index(server, Index("alice", "prod", "stage", {"volatile": False}))

    @pytest.fixture
    def upload(self, server: Server, target: PackageTarget, make_upload: MakeUpload) -> Uploader:
        """Return a function that uploads files to the target."""
        return Uploader(server, target, make_upload)

    def create_index(self, server: Server, index: Index) -> Index:
        """Create an index in the server's store."""
        with server.database.transaction():
            server.indices.create(index)
        return index
