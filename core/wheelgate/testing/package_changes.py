"""The part of the contract of package targets about changes: stamps, deletion, deleted indices and lost files."""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import pytest

from wheelgate.errors import BackendUnavailable, Gone, NotFound
from wheelgate.packages import PackageTarget, StoredFile
from wheelgate.server import Server
from wheelgate.testing.package_fixtures import (
    Change,
    PackageFixtures,
    Uploader,
    delete_first_file,
    deletion,
    only_file,
    snapshot,
)
from wheelgate.values import Index


def lose_first_file(target: PackageTarget, index: Index) -> None:
    """Report the content of the first file of ``demo`` as lost."""
    project = target.project(index, "demo")
    assert project is not None, "return the project: it has a file"
    target.mark_lost(project.files[0].hashes["sha256"])


CHANGES_WITH_NEW_STAMP = [
    pytest.param(lambda target, index: target.yank(index, "demo", "1.0", "bad"), id="yank"),
    pytest.param(lambda target, index: target.yank(index, "demo", "1.0", ""), id="yank without a reason"),
    pytest.param(lambda target, index: target.set_status(index, "demo", "archived", ""), id="set the status"),
    pytest.param(
        lambda target, index: target.set_status(index, "demo", "active", "why"), id="set the reason of the status"
    ),
    pytest.param(deletion(), id="delete the project"),
    pytest.param(deletion(version="1.0"), id="delete a version"),
    pytest.param(delete_first_file, id="delete a file"),
    pytest.param(lose_first_file, id="lose a file"),
]
ACTIONS_ON_MISSING_OBJECTS = [
    pytest.param(deletion("none"), id="delete a project"),
    pytest.param(deletion(version="9.9"), id="delete a version"),
    pytest.param(lambda target, index: target.delete(index, "demo", None, "+f/no/file"), id="delete a file"),
    pytest.param(lambda target, index: target.yank(index, "none", "1.0", ""), id="yank a version of a missing project"),
    pytest.param(lambda target, index: target.yank(index, "demo", "9.9", ""), id="yank a missing version"),
    pytest.param(lambda target, index: target.set_status(index, "none", "archived", ""), id="set a status"),
    pytest.param(
        lambda target, index: target.add_test_result(index, "+f/no/file", StoredFile("0", 1), None),
        id="add a test result",
    ),
    pytest.param(lambda target, index: target.open(index, "+f/no/file"), id="open a file"),
    pytest.param(lambda target, index: target.core_metadata(index, "+f/no/file"), id="read core metadata"),
    pytest.param(lambda target, index: target.provenance(index, "+f/no/file"), id="read provenance"),
    pytest.param(lambda target, index: target.fetch_release(index, "demo", "9.9"), id="fetch a missing version"),
    pytest.param(lambda target, index: target.fetch_release(index, "none", "1.0"), id="fetch from a missing project"),
]


class ChangeContract(PackageFixtures):
    """A target shows every change, and removes everything that belongs to a deleted thing."""

    @pytest.mark.parametrize("change", CHANGES_WITH_NEW_STAMP)
    def test_a_change_renews_the_stamp(
        self,
        server: Server,
        target: PackageTarget,
        index: Index,
        other_index: Index,
        upload: Uploader,
        change: Change,
    ) -> None:
        """A target renews a project's stamp after every change, and keeps the stamps of other projects and indices."""
        upload(index)
        upload(index, "other")
        upload(other_index)
        places = [(index, "other"), (other_index, "demo"), (other_index, "")]
        before, rest = target.stamp(index, "demo"), [target.stamp(*place) for place in places]
        if change is lose_first_file:
            with server.database.transaction():
                target.delete(other_index, "demo")
        with server.database.transaction():
            change(target, index)

        assert target.stamp(index, "demo") != before, "return a new stamp after this change"
        if change is not lose_first_file:
            assert [target.stamp(*place) for place in places] == rest, "keep the stamps of all others"

    def test_never_repeats_a_stamp(self, server: Server, target: PackageTarget, index: Index, upload: Uploader) -> None:
        """A target never returns a stamp again, however often a project or its index is deleted and refilled."""
        seen: list[Hashable] = [target.stamp(index), target.stamp(index, "demo")]
        for recreate in (False, True, False, True):
            upload(index)
            seen += [target.stamp(index), target.stamp(index, "demo")]
            self.delete_all(server, target, index, recreate=recreate)
            seen += [target.stamp(index), target.stamp(index, "demo")]
        full = seen[2::4], seen[3::4]

        assert [len(set(stamps)) for stamps in full] == [4, 4], "return a stamp only once"
        assert not set(full[0]) & set(seen[0::4]), "return another stamp for an empty index"
        assert not set(full[1]) & set(seen[1::4]), "return another stamp for a missing project"

    def delete_all(self, server: Server, target: PackageTarget, index: Index, *, recreate: bool) -> None:
        """Delete the project, or delete the index and create it again."""
        with server.database.transaction():
            if recreate:
                target.forget(index)
                server.indices.delete(index)
            else:
                target.delete(index, "demo")
        if recreate:
            self.create_index(server, index)

    def test_an_upload_renews_the_stamp(self, target: PackageTarget, index: Index, upload: Uploader) -> None:
        """A target renews an index's stamp for a new project, and a project's stamp for each file and test result."""
        stamps = [(target.stamp(index), target.stamp(index, "demo"))]
        for version, number in (("1.0", 0), ("1.1", 0), ("1.1", 1), ("1.1", 1)):
            recorded = upload(index, version=version, number=number)
            stamps.append((target.stamp(index), target.stamp(index, "demo")))
        upload.add_test_result(index, recorded.path)

        assert stamps[0][0] != stamps[1][0], "renew the stamp of the index for a new project"
        of_project = {stamp for _, stamp in stamps} | {target.stamp(index, "demo")}
        assert len(of_project) == 6, "renew the stamp of the project after every upload, identical ones included"

    @pytest.mark.parametrize(
        "remove", [deletion(), deletion(version="1.0"), delete_first_file], ids=["project", "version", "file"]
    )
    def test_deletes_empty_versions_and_projects(
        self,
        server: Server,
        target: PackageTarget,
        index: Index,
        upload: Uploader,
        remove: Change,
    ) -> None:
        """A target drops a version with its last file, a project with its last version, and still claims the name."""
        path = upload(index).path
        result = upload.add_test_result(index, path)
        with server.database.transaction():
            remove(target, index)

        assert list(target.projects(index).names) == [], "list no project without files"
        assert target.project(index, "demo") is None, "return None for a project without files"
        assert list(target.releases(index, "demo")) == [], "return no version without files"
        assert list(target.stored_files()) == [], "list no deleted file"
        assert target.claims(index, "demo"), "claim the name still: a mirror must not take it over"
        for gone in (path, result):
            with pytest.raises(Gone):
                target.open(index, gone)
        upload(index)
        assert only_file(target, index).path == path, "accept the same file again"
        target.open(index, path)

    @pytest.mark.parametrize("remove", [deletion(version="1.0"), delete_first_file], ids=["version", "file"])
    def test_keeps_other_versions(
        self,
        server: Server,
        target: PackageTarget,
        index: Index,
        upload: Uploader,
        remove: Change,
    ) -> None:
        """A target keeps all other versions when it deletes one."""
        upload(index)
        other = upload(index, version="2.0")
        with server.database.transaction():
            remove(target, index)

        assert only_file(target, index).path == other.path, "keep the other version"
        target.open(index, other.path)

    @pytest.mark.parametrize("act", ACTIONS_ON_MISSING_OBJECTS)
    def test_raises_not_found(
        self,
        server: Server,
        target: PackageTarget,
        index: Index,
        upload: Uploader,
        act: Callable[[PackageTarget, Index], object],
    ) -> None:
        """A target raises ``NotFound`` for a missing project, version or file, and changes nothing."""
        upload(index)
        before = snapshot(target, index), target.stamp(index, "demo")
        with pytest.raises(NotFound) as caught, server.database.transaction():
            act(target, index)

        assert not isinstance(caught.value, Gone), "raise NotFound: nothing was deleted"
        assert (snapshot(target, index), target.stamp(index, "demo")) == before, "change nothing, the stamp included"

    def test_forgets_a_deleted_index(
        self, server: Server, target: PackageTarget, index: Index, other_index: Index, upload: Uploader
    ) -> None:
        """``forget`` removes everything of an index; other indices keep their files, even identical ones."""
        path = upload(index).path
        upload(index, "more")
        upload(other_index)
        before = snapshot(target, other_index)[0]
        with server.database.transaction():
            target.forget(index)

        assert snapshot(target, index)[0] == ([], None, [], False), "remove all projects, and claim no names"
        with pytest.raises(NotFound) as caught:
            target.open(index, path)
        assert caught.type is NotFound, "raise NotFound, not Gone: the next owner of the path has deleted nothing"
        assert snapshot(target, other_index)[0] == before, "keep the files of other indices"
        assert [label for _, label in target.stored_files()] == [f"{other_index.path}/{path}"], "list other files only"

    @pytest.mark.parametrize(
        "remove",
        [
            deletion(),
            deletion(version="1.0"),
            delete_first_file,
            lambda target, index: target.forget(index),
            pytest.param(None, id="replace"),
        ],
        ids=["project", "version", "file", "index", None],
    )
    def test_releases_unreferenced_content(
        self,
        server: Server,
        target: PackageTarget,
        index: Index,
        other_index: Index,
        upload: Uploader,
        remove: Change | None,
    ) -> None:
        """A target no longer references the content of deleted or replaced files that no other index has."""
        path = upload(index).path
        result = upload.add_test_result(index, path)
        upload(other_index)
        stored = [target.open(index, each) for each in (path, result)]
        with server.database.transaction():
            target.delete(other_index, "demo")
        server.files.sweep()
        assert [self.is_stored(server, each) for each in stored] == [True, True], "reference what an index still has"
        if remove is None:
            upload(index, number=1)
        else:
            with server.database.transaction():
                remove(target, index)
        server.files.sweep()

        assert [self.is_stored(server, each) for each in stored] == [False, False], "reference nothing that was deleted"

    def is_stored(self, server: Server, stored: Any) -> bool:
        """Whether the server still has the content of a file."""
        try:
            server.files.open(stored).close()
        except BackendUnavailable:
            return False
        return True

    def test_hides_lost_files(
        self, server: Server, target: PackageTarget, non_volatile_index: Index, index: Index, upload: Uploader
    ) -> None:
        """A target removes a lost file from all indices, and accepts it again, even on a non-volatile index."""
        path = upload(non_volatile_index).path
        upload(index)
        sha256 = only_file(target, non_volatile_index).hashes["sha256"]
        with server.database.transaction():
            target.mark_lost(sha256)

        assert not target.references(sha256), "reference no lost file"
        for place in (non_volatile_index, index):
            project = target.project(place, "demo")
            assert project is None or project.files == (), "list no lost file"
            assert target.claims(place, "demo"), "claim the name still: a mirror must not take it over"
        upload(non_volatile_index, number=1)
        upload(index)
        assert only_file(target, index).path == path, "accept a lost file again"
