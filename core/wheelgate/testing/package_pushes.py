"""What an index type promises about releases that it takes from other indices."""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from dataclasses import replace

import pytest

from wheelgate.errors import Conflict, NotFound
from wheelgate.packages import PackageTarget
from wheelgate.server import Server
from wheelgate.testing.package_kit import PackageFixtures, Uploader, only, state
from wheelgate.values import Index


class PushContract(PackageFixtures):
    """A release is taken whole, or not at all."""

    def test_takes_a_release_of_another_index(
        self, server: Server, target: PackageTarget, index: Index, other: Index, upload: Uploader
    ) -> None:
        """A pushed release is there with files, results and history, and survives the removal of the source."""
        upload(index, "Demo", number=1)
        path = upload(index, "Demo").path
        result = upload.result(index, path)
        file = only(target, index)
        release = target.fetch_release(index, "demo", "1.0")
        with server.database.transaction():
            lines = target.copy_release(other, release, index, "bob", files=True, docs=True)
        with server.database.transaction():
            target.delete(index, "demo")
        (taken,) = target.releases(other, "demo")

        assert lines == [
            [200, "register", "Demo", "1.0", "->", other.path],
            [200, "store_releasefile", f"{other.path}/{path}"],
            [200, "store_toxresult", f"{other.path}/{result}"],
        ]
        assert dict(taken.metadata) == dict(release.metadata)
        assert [(link.rel, link.path, link.stored) for link in taken.files] == [
            (link.rel, link.path, link.stored) for link in release.files
        ]
        assert [(line.what, line.who, line.src, line.dst) for line in taken.files[0].log] == [
            ("upload", "alice", None, index.path),
            ("push", "bob", index.path, other.path),
        ]
        assert taken.files[0].log[0] == release.files[0].log[1]  # without what was overwritten elsewhere
        assert replace(only(target, other), upload_time=file.upload_time) == file
        target.open(other, path)

    def test_takes_only_what_is_wanted(
        self, server: Server, target: PackageTarget, index: Index, other: Index, upload: Uploader
    ) -> None:
        """Without files, the version alone is registered."""
        upload(index)
        release = target.fetch_release(index, "demo", "1.0")
        with server.database.transaction():
            lines = target.copy_release(other, release, index, "bob", files=False, docs=True)
        project = target.project(other, "demo")

        assert lines == [[200, "register", "demo", "1.0", "->", other.path]]
        assert project is not None
        assert (project.versions, project.files) == (("1.0",), ())

    def test_takes_nothing_whose_bytes_are_gone(
        self, server: Server, target: PackageTarget, index: Index, other: Index, upload: Uploader
    ) -> None:
        """A release that was removed since it was obtained is not pushed."""
        upload(index)
        release = target.fetch_release(index, "demo", "1.0")
        with server.database.transaction():
            target.delete(index, "demo")
        server.files.sweep()
        with pytest.raises(Conflict), server.database.transaction():
            target.copy_release(other, release, index, "bob", files=True, docs=True)

        assert not target.claims(other, "demo")

    def test_takes_nothing_that_is_there(
        self, server: Server, target: PackageTarget, index: Index, frozen: Index, upload: Uploader
    ) -> None:
        """A push to an index that keeps what it has replaces nothing, and leaves nothing behind."""
        upload(index)
        upload(frozen, number=1)
        before = state(target, frozen)
        release = target.fetch_release(index, "demo", "1.0")
        with pytest.raises(Conflict, match="already exists"), server.database.transaction():
            target.copy_release(frozen, release, index, "bob", files=True, docs=True)

        assert state(target, frozen) == before

    def test_adds_nothing_to_an_index_that_is_gone(
        self, server: Server, target: PackageTarget, index: Index, other: Index, upload: Uploader
    ) -> None:
        """An upload, or a push, to an index that was deleted meanwhile is refused: nothing waits for its next owner."""
        upload(other)
        release = target.fetch_release(other, "demo", "1.0")
        with server.database.transaction():
            target.forget(index)
            server.indices.delete(index)

        with pytest.raises(NotFound):
            upload(index)
        with pytest.raises(NotFound), server.database.transaction():
            target.copy_release(index, release, other, "bob", files=True, docs=True)
        assert list(target.projects(index).names) == []
