"""What an index type promises about uploads, and about what it shows of them."""

# ruff: noqa: S101, PT012 - tests are made of assertions; a transaction that fails is more than one statement

from __future__ import annotations

import re
import threading

import pytest

from wheelgate.errors import BadInput, Conflict, Forbidden, Gone, NotFound
from wheelgate.packages import PackageTarget, StoredFile
from wheelgate.server import Server
from wheelgate.testing.package_kit import PackageFixtures, Uploader, only, state
from wheelgate.values import Index

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class UploadContract(PackageFixtures):
    """Uploads are taken, listed and opened, or refused without a trace."""

    def test_holds_nothing_at_first(self, target: PackageTarget, index: Index) -> None:
        """An index without uploads answers every question."""
        assert list(target.projects(index).names) == []
        assert target.project(index, "demo") is None
        assert not target.claims(index, "demo")
        assert list(target.releases(index, "demo")) == []
        assert list(target.stored_files()) == []
        assert not target.references("0" * 64)
        assert target.stamp(index) == target.stamp(index)
        assert target.stamp(index, "demo") == target.stamp(index, "demo")

    def test_offers_what_was_uploaded(
        self, server: Server, target: PackageTarget, index: Index, other: Index, upload: Uploader
    ) -> None:
        """A file is listed with all that a page shows, opens under its address, and is on no other index."""
        recorded = upload(index, "Demo", "1.0")
        file = only(target, index)
        stored = target.open(index, recorded.path)
        (release,) = target.releases(index, "demo")
        (link,) = release.files

        assert (recorded.project, recorded.version, recorded.note) == ("demo", "1.0", "")
        assert isinstance(stored, StoredFile)
        assert (file.path, file.hashes["sha256"], file.size) == (recorded.path, stored.sha256, stored.size)
        assert file.path == f"+f/{stored.sha256[:3]}/{stored.sha256[3:16]}/{file.name}"
        assert TIME.fullmatch(file.upload_time or "")
        assert (release.name, release.version, release.metadata["name"]) == ("Demo", "1.0", "Demo")
        assert (link.rel, link.path, link.stored) == ("releasefile", file.path, stored)
        assert [(line.what, line.who, line.dst) for line in link.log] == [("upload", "alice", index.path)]
        assert list(target.projects(index).names) == ["demo"]
        assert target.claims(index, "demo")
        assert target.references(stored.sha256)
        assert [found for found, _ in target.stored_files()] == [stored]
        with server.files.open(stored) as opened:
            assert len(opened.read()) == stored.size
        assert target.project(other, "demo") is None
        assert list(target.projects(other).names) == []
        with pytest.raises(NotFound):
            target.open(other, file.path)

    def test_lists_versions_from_the_oldest(self, target: PackageTarget, index: Index, upload: Uploader) -> None:
        """Versions, and the files with them, are in the order that PEP 440 gives them."""
        for version in ("1.10", "1.9", "1.0rc1", "2.0.dev1", "1.0"):
            upload(index, version=version)
        project = target.project(index, "demo")

        assert project is not None
        assert list(project.versions) == ["1.0rc1", "1.0", "1.9", "1.10", "2.0.dev1"]
        assert [file.version for file in project.files] == list(project.versions)
        assert [release.version for release in target.releases(index, "demo")] == list(project.versions)

    def test_lists_projects_by_name(self, target: PackageTarget, index: Index, upload: Uploader) -> None:
        """The list is in the order of the normalised names."""
        for name in ("b", "A.b", "a", "a1", "Z"):
            upload(index, name)
        assert list(target.projects(index).names) == ["a", "a-b", "a1", "b", "z"]

    def test_replaces_on_a_volatile_index(self, target: PackageTarget, index: Index, upload: Uploader) -> None:
        """A file of the same name takes the place of the one before, whose address is gone."""
        old = upload(index)
        upload.result(index, old.path)
        new = upload(index, number=1)
        (release,) = target.releases(index, "demo")

        assert only(target, index).path == new.path != old.path
        assert [(line.what, line.count) for line in release.files[0].log] == [("overwrite", 1), ("upload", None)]
        assert [link.rel for link in release.files] == ["releasefile"]
        with pytest.raises(Gone):
            target.open(index, old.path)
        upload(index)
        target.open(index, old.path)
        assert len(list(target.stored_files())) == 1

    def test_keeps_what_it_has_on_another(self, target: PackageTarget, frozen: Index, upload: Uploader) -> None:
        """On an index that is not volatile, the very same file is welcome and changes nothing; another is refused."""
        first = upload(frozen)
        before = state(target, frozen)
        again = upload(frozen)

        assert again.path == first.path
        assert again.note
        with pytest.raises(Conflict, match="already exists in non-volatile index"):
            upload(frozen, number=1)
        assert state(target, frozen) == before

    def test_one_of_many_wins(self, target: PackageTarget, frozen: Index, upload: Uploader) -> None:
        """Of several who upload different files of one name at once, one is served and the others are told."""
        ready = threading.Barrier(4)
        told: list[str] = []

        def run(number: int) -> None:
            ready.wait(20)
            try:
                upload(frozen, number=number)
            except Conflict:
                told.append("conflict")
            else:
                told.append("ok")

        threads = [threading.Thread(target=run, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(told) == ["conflict", "conflict", "conflict", "ok"]
        assert only(target, frozen)

    def test_an_upload_is_undone_with_its_transaction(
        self, server: Server, target: PackageTarget, index: Index, upload: Uploader
    ) -> None:
        """What fails after the record leaves no trace: no project, no claim to its name."""
        before = state(target, index), target.stamp(index)
        with upload.inspected(index) as (_, inspected), pytest.raises(BadInput), server.database.transaction():
            target.record_upload(index, inspected, None)
            raise BadInput("after it")

        assert (state(target, index), target.stamp(index)) == before

    def test_looks_again_when_it_records(
        self, server: Server, target: PackageTarget, index: Index, upload: Uploader
    ) -> None:
        """A project that was archived after an upload was inspected does not take it."""
        upload(index)
        with upload.inspected(index, "2.0") as (_, inspected):
            with server.database.transaction():
                target.set_status(index, "demo", "archived", "done")
            before = state(target, index)
            with pytest.raises(Forbidden), server.database.transaction():
                target.record_upload(index, inspected, None)

        assert state(target, index) == before

    @pytest.mark.parametrize("status", ["archived", "quarantined"])
    def test_a_closed_project_takes_no_files(
        self, server: Server, target: PackageTarget, index: Index, upload: Uploader, status: str
    ) -> None:
        """An archived or quarantined project refuses uploads, and is as it was; once active again it takes them."""
        upload(index)
        with server.database.transaction():
            target.set_status(index, "demo", status, "because")
        before = state(target, index)

        with pytest.raises(Forbidden, match="because"):
            upload(index, version="2.0")
        assert state(target, index) == before
        with server.database.transaction():
            target.set_status(index, "demo", "active", "")
        upload(index, version="2.0")

    def test_a_project_that_begins_anew_is_active(
        self, server: Server, target: PackageTarget, index: Index, upload: Uploader
    ) -> None:
        """The status of a project goes with its last release."""
        upload(index)
        with server.database.transaction():
            target.set_status(index, "demo", "archived", "done")
        with server.database.transaction():
            target.delete(index, "demo")
        upload(index)
        project = target.project(index, "demo")

        assert project is not None
        assert (project.status, project.status_reason) == ("active", "")

    def test_quarantine_holds_files_back(
        self, server: Server, target: PackageTarget, index: Index, upload: Uploader
    ) -> None:
        """The files of a quarantined project do not open, nor what is beside them; its page says why."""
        path = upload(index).path
        with server.database.transaction():
            target.set_status(index, "demo", "quarantined", "malware")
        project = target.project(index, "demo")

        assert project is not None
        assert (project.status, project.status_reason) == ("quarantined", "malware")
        for read in (target.open, target.core_metadata, target.provenance):
            with pytest.raises(Forbidden, match="malware"):
                read(index, path)

    def test_yanks_a_version(self, server: Server, target: PackageTarget, index: Index, upload: Uploader) -> None:
        """All files of a version are yanked, no others, and come back when that is taken back."""
        upload(index)
        upload(index, version="2.0")
        seen = []
        for reason in ("broken", "", None):
            with server.database.transaction():
                target.yank(index, "demo", "1.0", reason)
            project = target.project(index, "demo")
            assert project is not None
            seen.append([(file.version, file.yanked) for file in project.files])

        assert seen == [[("1.0", reason), ("2.0", None)] for reason in ("broken", "", None)]

    def test_records_results_of_tests(self, target: PackageTarget, index: Index, upload: Uploader) -> None:
        """Each result has an address of its own that opens, and names the file that was tested."""
        path = upload(index).path
        results = [upload.result(index, path, content) for content in (b"{}", b"[]", b"{}")]
        (release,) = target.releases(index, "demo")
        links = [link for link in release.files if link.rel == "toxresult"]

        assert len(set(results)) == 3
        assert [(link.path, link.for_path) for link in links] == [(result, path) for result in results]
        assert all(link.log[0].who == "bob" for link in links)
        assert [target.open(index, link.path) for link in links] == [link.stored for link in links]
