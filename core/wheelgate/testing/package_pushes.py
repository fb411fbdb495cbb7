"""The part of the contract of package targets about pushes: releases copied from other indices."""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from dataclasses import replace

import pytest

from wheelgate.errors import Conflict, NotFound
from wheelgate.packages import PackageTarget
from wheelgate.server import Server
from wheelgate.testing.package_fixtures import PackageFixtures, Uploader, only_file, snapshot
from wheelgate.values import Index


class PushContract(PackageFixtures):
    """A target copies a whole release, or nothing."""

    def test_copies_a_release_from_another_index(
        self, server: Server, target: PackageTarget, index: Index, other_index: Index, upload: Uploader
    ) -> None:
        """A target copies a release with files, test results and history; the copy outlives its source."""
        upload(index, "Demo", number=1)
        path = upload(index, "Demo").path
        result = upload.add_test_result(index, path)
        file = only_file(target, index)
        release = target.fetch_release(index, "demo", "1.0")
        with server.database.transaction():
            lines = target.copy_release(other_index, release, index, "bob", files=True, docs=True)
        with server.database.transaction():
            target.delete(index, "demo")
        (copied,) = target.releases(other_index, "demo")

        assert lines == [
            [200, "register", "Demo", "1.0", "->", other_index.path],
            [200, "store_releasefile", f"{other_index.path}/{path}"],
            [200, "store_toxresult", f"{other_index.path}/{result}"],
        ], "report each step in devpi's form"
        assert dict(copied.metadata) == dict(release.metadata), "copy the metadata unchanged"
        assert [(link.rel, link.path, link.stored) for link in copied.files] == [
            (link.rel, link.path, link.stored) for link in release.files
        ], "copy every file and test result"
        assert [(line.what, line.who, line.src, line.dst) for line in copied.files[0].log] == [
            ("upload", "alice", None, index.path),
            ("push", "bob", index.path, other_index.path),
        ], "copy the history, and log the push"
        assert copied.files[0].log[0] == release.files[0].log[1]  # the source's "overwrite" is left out
        assert replace(only_file(target, other_index), upload_time=file.upload_time) == file, "list the same file"
        target.open(other_index, path)

    def test_copies_no_files_if_none_are_wanted(
        self, server: Server, target: PackageTarget, index: Index, other_index: Index, upload: Uploader
    ) -> None:
        """A target registers only the version if the push is without files."""
        upload(index)
        release = target.fetch_release(index, "demo", "1.0")
        with server.database.transaction():
            lines = target.copy_release(other_index, release, index, "bob", files=False, docs=True)
        project = target.project(other_index, "demo")

        assert lines == [[200, "register", "demo", "1.0", "->", other_index.path]], "report the one step"
        assert project is not None, "return the project: its version is registered"
        assert (project.versions, project.files) == (("1.0",), ()), "register the version without files"

    def test_refuses_a_release_without_content(
        self, server: Server, target: PackageTarget, index: Index, other_index: Index, upload: Uploader
    ) -> None:
        """A target raises ``Conflict`` for a release whose files were deleted in the meantime, and copies nothing."""
        upload(index)
        release = target.fetch_release(index, "demo", "1.0")
        with server.database.transaction():
            target.delete(index, "demo")
        server.files.sweep()
        with pytest.raises(Conflict), server.database.transaction():
            target.copy_release(other_index, release, index, "bob", files=True, docs=True)

        assert not target.claims(other_index, "demo"), "claim no name for a push that failed"

    def test_replaces_nothing_on_a_non_volatile_index(
        self, server: Server, target: PackageTarget, index: Index, non_volatile_index: Index, upload: Uploader
    ) -> None:
        """A target raises ``Conflict`` for a push over another file of a non-volatile index, and changes nothing."""
        upload(index)
        upload(non_volatile_index, number=1)
        before = snapshot(target, non_volatile_index)
        release = target.fetch_release(index, "demo", "1.0")
        with pytest.raises(Conflict, match="already exists"), server.database.transaction():
            target.copy_release(non_volatile_index, release, index, "bob", files=True, docs=True)

        assert snapshot(target, non_volatile_index) == before, "undo everything after a conflict"

    def test_adds_nothing_to_a_deleted_index(
        self, server: Server, target: PackageTarget, index: Index, other_index: Index, upload: Uploader
    ) -> None:
        """A target raises ``NotFound`` for uploads and pushes to a deleted index: a new index of the name is empty."""
        upload(other_index)
        release = target.fetch_release(other_index, "demo", "1.0")
        with server.database.transaction():
            target.forget(index)
            server.indices.delete(index)

        with pytest.raises(NotFound):
            upload(index)
        with pytest.raises(NotFound), server.database.transaction():
            target.copy_release(index, release, other_index, "bob", files=True, docs=True)
        assert list(target.projects(index).names) == [], "record nothing for a deleted index"
