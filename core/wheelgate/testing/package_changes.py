"""What an index type promises about changes of what it holds: stamps, removal, what is forgotten and what is lost."""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import pytest

from wheelgate.errors import BackendUnavailable, Gone, NotFound
from wheelgate.packages import PackageTarget, StoredFile
from wheelgate.server import Server
from wheelgate.testing.package_kit import PackageFixtures, Removal, Uploader, delete, delete_file, only, state
from wheelgate.values import Index


def lose(target: PackageTarget, index: Index) -> None:
    """Lose the bytes of the first file of ``demo``."""
    project = target.project(index, "demo")
    assert project is not None
    target.mark_lost(project.files[0].hashes["sha256"])


CHANGES = [
    pytest.param(lambda target, index: target.yank(index, "demo", "1.0", "bad"), id="yank"),
    pytest.param(lambda target, index: target.yank(index, "demo", "1.0", ""), id="yank without a reason"),
    pytest.param(lambda target, index: target.set_status(index, "demo", "archived", ""), id="status"),
    pytest.param(lambda target, index: target.set_status(index, "demo", "active", "why"), id="reason of the status"),
    pytest.param(delete(), id="delete the project"),
    pytest.param(delete(version="1.0"), id="delete a version"),
    pytest.param(delete_file, id="delete a file"),
    pytest.param(lose, id="lose a file"),
]
MISSING = [
    pytest.param(delete("none"), id="delete a project"),
    pytest.param(delete(version="9.9"), id="delete a version"),
    pytest.param(lambda target, index: target.delete(index, "demo", None, "+f/no/file"), id="delete a file"),
    pytest.param(lambda target, index: target.yank(index, "none", "1.0", ""), id="yank of a project"),
    pytest.param(lambda target, index: target.yank(index, "demo", "9.9", ""), id="yank of a version"),
    pytest.param(lambda target, index: target.set_status(index, "none", "archived", ""), id="status"),
    pytest.param(
        lambda target, index: target.add_test_result(index, "+f/no/file", StoredFile("0", 1), None), id="result"
    ),
    pytest.param(lambda target, index: target.open(index, "+f/no/file"), id="open"),
    pytest.param(lambda target, index: target.core_metadata(index, "+f/no/file"), id="core metadata"),
    pytest.param(lambda target, index: target.provenance(index, "+f/no/file"), id="provenance"),
    pytest.param(lambda target, index: target.fetch_release(index, "demo", "9.9"), id="obtain a version"),
    pytest.param(lambda target, index: target.fetch_release(index, "none", "1.0"), id="obtain of a project"),
]


class ChangeContract(PackageFixtures):
    """Every change shows, and what is removed is gone with all that belongs to it."""

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_change_gives_a_new_stamp(
        self,
        server: Server,
        target: PackageTarget,
        index: Index,
        other: Index,
        upload: Uploader,
        change: Removal,
    ) -> None:
        """Whatever changes a project changes its stamp, and no stamp of another project or index."""
        upload(index)
        upload(index, "other")
        upload(other)
        places = [(index, "other"), (other, "demo"), (other, "")]
        before, rest = target.stamp(index, "demo"), [target.stamp(*place) for place in places]
        if change is lose:
            with server.database.transaction():
                target.delete(other, "demo")
        with server.database.transaction():
            change(target, index)

        assert target.stamp(index, "demo") != before
        if change is not lose:
            assert [target.stamp(*place) for place in places] == rest

    def test_stamps_never_come_back(
        self, server: Server, target: PackageTarget, index: Index, upload: Uploader
    ) -> None:
        """However often a project, or its index, is filled and emptied, no stamp is seen twice."""
        seen: list[Hashable] = [target.stamp(index), target.stamp(index, "demo")]
        for whole in (False, True, False, True):
            upload(index)
            seen += [target.stamp(index), target.stamp(index, "demo")]
            self.emptied(server, target, index, whole=whole)
            seen += [target.stamp(index), target.stamp(index, "demo")]
        full = seen[2::4], seen[3::4]

        assert [len(set(stamps)) for stamps in full] == [4, 4]
        assert not set(full[0]) & set(seen[0::4])
        assert not set(full[1]) & set(seen[1::4])

    def emptied(self, server: Server, target: PackageTarget, index: Index, *, whole: bool) -> None:
        """Remove the project, or delete the index and create it again."""
        with server.database.transaction():
            if whole:
                target.forget(index)
                server.indices.delete(index)
            else:
                target.delete(index, "demo")
        if whole:
            self.added(server, index)

    def test_an_upload_gives_new_stamps(self, target: PackageTarget, index: Index, upload: Uploader) -> None:
        """A new project changes the list; a new file, a replaced one and a result change the project."""
        stamps = [(target.stamp(index), target.stamp(index, "demo"))]
        for version, number in (("1.0", 0), ("1.1", 0), ("1.1", 1), ("1.1", 1)):
            recorded = upload(index, version=version, number=number)
            stamps.append((target.stamp(index), target.stamp(index, "demo")))
        upload.result(index, recorded.path)

        assert stamps[0][0] != stamps[1][0]
        assert len({stamp for _, stamp in stamps} | {target.stamp(index, "demo")}) == 6

    @pytest.mark.parametrize(
        "remove", [delete(), delete(version="1.0"), delete_file], ids=["project", "version", "file"]
    )
    def test_removes_what_is_left_empty(
        self,
        server: Server,
        target: PackageTarget,
        index: Index,
        upload: Uploader,
        remove: Removal,
    ) -> None:
        """With its last file a version goes, with that the project; addresses are gone, the name stays claimed."""
        path = upload(index).path
        result = upload.result(index, path)
        with server.database.transaction():
            remove(target, index)

        assert list(target.projects(index).names) == []
        assert target.project(index, "demo") is None
        assert list(target.releases(index, "demo")) == []
        assert list(target.stored_files()) == []
        assert target.claims(index, "demo")
        for gone in (path, result):
            with pytest.raises(Gone):
                target.open(index, gone)
        upload(index)
        assert only(target, index).path == path
        target.open(index, path)

    @pytest.mark.parametrize("remove", [delete(version="1.0"), delete_file], ids=["version", "file"])
    def test_leaves_the_rest(
        self,
        server: Server,
        target: PackageTarget,
        index: Index,
        upload: Uploader,
        remove: Removal,
    ) -> None:
        """A version that is removed takes no other along."""
        upload(index)
        kept = upload(index, version="2.0")
        with server.database.transaction():
            remove(target, index)

        assert only(target, index).path == kept.path
        target.open(index, kept.path)

    @pytest.mark.parametrize("act", MISSING)
    def test_says_what_is_missing(
        self,
        server: Server,
        target: PackageTarget,
        index: Index,
        upload: Uploader,
        act: Callable[[PackageTarget, Index], object],
    ) -> None:
        """What is not there cannot be removed, marked, read or obtained, and nothing changes."""
        upload(index)
        before = state(target, index), target.stamp(index, "demo")
        with pytest.raises(NotFound) as caught, server.database.transaction():
            act(target, index)

        assert not isinstance(caught.value, Gone)
        assert (state(target, index), target.stamp(index, "demo")) == before

    def test_forgets_a_deleted_index(
        self, server: Server, target: PackageTarget, index: Index, other: Index, upload: Uploader
    ) -> None:
        """Nothing of an index is left after it; others keep what they have, also of the same files."""
        path = upload(index).path
        upload(index, "more")
        upload(other)
        before = state(target, other)[0]
        with server.database.transaction():
            target.forget(index)

        assert state(target, index)[0] == ([], None, [], False)
        with pytest.raises(NotFound) as caught:
            target.open(index, path)
        assert caught.type is NotFound  # and not Gone: who gets the path next has removed nothing
        assert state(target, other)[0] == before
        assert [label for _, label in target.stored_files()] == [f"{other.path}/{path}"]

    @pytest.mark.parametrize(
        "remove",
        [
            delete(),
            delete(version="1.0"),
            delete_file,
            lambda target, index: target.forget(index),
            pytest.param(None, id="replace"),
        ],
        ids=["project", "version", "file", "index", None],
    )
    def test_lets_go_of_bytes_that_nobody_needs(
        self,
        server: Server,
        target: PackageTarget,
        index: Index,
        other: Index,
        upload: Uploader,
        remove: Removal | None,
    ) -> None:
        """The bytes of what is removed or replaced are swept, unless another index has the same file."""
        path = upload(index).path
        result = upload.result(index, path)
        upload(other)
        stored = [target.open(index, each) for each in (path, result)]
        with server.database.transaction():
            target.delete(other, "demo")
        server.files.sweep()
        assert [self.is_there(server, each) for each in stored] == [True, True]
        if remove is None:
            upload(index, number=1)
        else:
            with server.database.transaction():
                remove(target, index)
        server.files.sweep()

        assert [self.is_there(server, each) for each in stored] == [False, False]

    def is_there(self, server: Server, stored: Any) -> bool:
        """Say whether the bytes of a file are there."""
        try:
            server.files.open(stored).close()
        except BackendUnavailable:
            return False
        return True

    def test_offers_no_file_that_is_lost(
        self, server: Server, target: PackageTarget, frozen: Index, index: Index, upload: Uploader
    ) -> None:
        """A file whose bytes are damaged vanishes from every index, and may be uploaded again, even where it stays."""
        path = upload(frozen).path
        upload(index)
        sha256 = only(target, frozen).hashes["sha256"]
        with server.database.transaction():
            target.mark_lost(sha256)

        assert not target.references(sha256)
        for place in (frozen, index):
            project = target.project(place, "demo")
            assert project is None or project.files == ()
            assert target.claims(place, "demo")
        upload(frozen, number=1)
        upload(index)
        assert only(target, index).path == path
