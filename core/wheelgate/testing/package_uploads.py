"""The part of the contract of package targets about uploads, and about what a target tells of them."""

# ruff: noqa: S101, PT012 - tests are made of assertions; a transaction that fails is more than one statement

from __future__ import annotations

import re
import threading

import pytest

from wheelgate.errors import BadInput, Conflict, Forbidden, Gone, NotFound
from wheelgate.packages import PackageTarget, StoredFile
from wheelgate.server import Server
from wheelgate.testing.package_fixtures import PackageFixtures, Uploader, only_file, snapshot
from wheelgate.values import Index

UPLOAD_TIME_PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class UploadContract(PackageFixtures):
    """A target lists and opens what it accepts, and keeps no trace of what it refuses."""

    def test_an_empty_index_has_no_packages(self, target: PackageTarget, index: Index) -> None:
        """A target answers every question about an index without uploads."""
        assert list(target.projects(index).names) == [], "list no projects"
        assert target.project(index, "demo") is None, "return None for an unknown project"
        assert not target.claims(index, "demo"), "claim no names"
        assert list(target.releases(index, "demo")) == [], "return no releases"
        assert list(target.stored_files()) == [], "list no files"
        assert not target.references("0" * 64), "reference no content"
        assert target.stamp(index) == target.stamp(index), "return the same stamp until something changes"
        assert target.stamp(index, "demo") == target.stamp(index, "demo"), "return the same stamp until a change"

    def test_offers_uploaded_files(
        self, server: Server, target: PackageTarget, index: Index, other_index: Index, upload: Uploader
    ) -> None:
        """A target lists an uploaded file with all details, opens it by its path, and shows it on no other index."""
        recorded = upload(index, "Demo", "1.0")
        file = only_file(target, index)
        stored = target.open(index, recorded.path)
        (release,) = target.releases(index, "demo")
        (link,) = release.files

        assert (recorded.project, recorded.version, recorded.note) == ("demo", "1.0", ""), (
            "normalise the project's name"
        )
        assert isinstance(stored, StoredFile), "open an uploaded file as a StoredFile"
        listed = (file.path, file.hashes["sha256"], file.size)
        assert listed == (recorded.path, stored.sha256, stored.size), "list path, hash and size of the file"
        assert file.path == f"+f/{stored.sha256[:3]}/{stored.sha256[3:16]}/{file.name}", "build the path from the hash"
        assert UPLOAD_TIME_PATTERN.fullmatch(file.upload_time or ""), "write upload times in UTC with microseconds"
        named = (release.name, release.version, release.metadata["name"])
        assert named == ("Demo", "1.0", "Demo"), "keep the name in metadata as it was uploaded"
        assert (link.rel, link.path, link.stored) == ("releasefile", file.path, stored), "link the file to its release"
        history = [(line.what, line.who, line.dst) for line in link.log]
        assert history == [("upload", "alice", index.path)], "log the upload"
        assert list(target.projects(index).names) == ["demo"], "list the project by its normalised name"
        assert target.claims(index, "demo"), "claim the name"
        assert target.references(stored.sha256), "reference the content"
        assert [found for found, _ in target.stored_files()] == [stored], "list every stored file"
        records = [(each.index, each.project, each.path, each.stored) for each in target.file_records()]
        assert records == [(index.path, "demo", file.path, stored)], "list every stored file with its project"
        with server.files.open(stored) as opened:
            assert len(opened.read()) == stored.size, "return the size of the content"
        assert target.project(other_index, "demo") is None, "keep indices apart"
        assert list(target.projects(other_index).names) == [], "keep indices apart"
        with pytest.raises(NotFound):
            target.open(other_index, file.path)

    def test_lists_versions_from_the_oldest(self, target: PackageTarget, index: Index, upload: Uploader) -> None:
        """A target lists versions, and their files, in the order of PEP 440."""
        for version in ("1.10", "1.9", "1.0rc1", "2.0.dev1", "1.0"):
            upload(index, version=version)
        project = target.project(index, "demo")

        assert project is not None, "return the project: it has files"
        assert list(project.versions) == ["1.0rc1", "1.0", "1.9", "1.10", "2.0.dev1"], "sort versions by PEP 440"
        assert [file.version for file in project.files] == list(project.versions), "sort files by version"
        releases = [release.version for release in target.releases(index, "demo")]
        assert releases == list(project.versions), "sort releases by version"

    def test_lists_projects_by_name(self, target: PackageTarget, index: Index, upload: Uploader) -> None:
        """A target lists projects by normalised name, sorted."""
        for name in ("b", "A.b", "a", "a1", "Z"):
            upload(index, name)
        assert list(target.projects(index).names) == ["a", "a-b", "a1", "b", "z"], "normalise and sort names"

    def test_replaces_files_on_a_volatile_index(self, target: PackageTarget, index: Index, upload: Uploader) -> None:
        """A target replaces a file of the same name on a volatile index; the old path raises ``Gone``."""
        old = upload(index)
        upload.add_test_result(index, old.path)
        new = upload(index, number=1)
        (release,) = target.releases(index, "demo")

        assert only_file(target, index).path == new.path != old.path, "list the new file only, under another path"
        history = [(line.what, line.count) for line in release.files[0].log]
        assert history == [("overwrite", 1), ("upload", None)], "log how many files were overwritten, then the upload"
        assert [link.rel for link in release.files] == ["releasefile"], "drop the test results of the old file"
        with pytest.raises(Gone):
            target.open(index, old.path)
        upload(index)
        target.open(index, old.path)
        assert len(list(target.stored_files())) == 1, "list replaced files no longer"

    def test_keeps_files_on_a_non_volatile_index(
        self, target: PackageTarget, non_volatile_index: Index, upload: Uploader
    ) -> None:
        """A target accepts an identical file on a non-volatile index, changes nothing, and refuses a different one."""
        first = upload(non_volatile_index)
        before = snapshot(target, non_volatile_index)
        again = upload(non_volatile_index)

        assert again.path == first.path, "return the path of the file that is there"
        assert again.note, "tell in a note that the file was there"
        with pytest.raises(Conflict, match="already exists in non-volatile index"):
            upload(non_volatile_index, number=1)
        assert snapshot(target, non_volatile_index) == before, "change nothing"

    def test_one_of_several_concurrent_uploads_wins(
        self, target: PackageTarget, non_volatile_index: Index, upload: Uploader
    ) -> None:
        """A target accepts one of several different files uploaded under one name at once, and refuses the others."""
        ready = threading.Barrier(4)
        outcomes: list[str] = []

        def run(number: int) -> None:
            ready.wait(20)
            try:
                upload(non_volatile_index, number=number)
            except Conflict:
                outcomes.append("conflict")
            else:
                outcomes.append("ok")

        threads = [threading.Thread(target=run, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(outcomes) == ["conflict", "conflict", "conflict", "ok"], "raise Conflict for all but one"
        assert only_file(target, non_volatile_index)

    def test_an_upload_rolls_back_with_its_transaction(
        self, server: Server, target: PackageTarget, index: Index, upload: Uploader
    ) -> None:
        """A target makes all changes in the transaction: a rollback leaves no project, and no claim to its name."""
        before = snapshot(target, index), target.stamp(index)
        with upload.checked_upload(index) as (_, checked), pytest.raises(BadInput), server.database.transaction():
            target.record_upload(index, checked, None)
            raise BadInput("after it")

        assert (snapshot(target, index), target.stamp(index)) == before, "make every change in the transaction"

    def test_checks_the_status_again_when_it_records(
        self, server: Server, target: PackageTarget, index: Index, upload: Uploader
    ) -> None:
        """A target refuses to record an upload if the project was archived after the upload was checked."""
        upload(index)
        with upload.checked_upload(index, "2.0") as (_, checked):
            with server.database.transaction():
                target.set_status(index, "demo", "archived", "done")
            before = snapshot(target, index)
            with pytest.raises(Forbidden), server.database.transaction():
                target.record_upload(index, checked, None)

        assert snapshot(target, index) == before, "change nothing"

    @pytest.mark.parametrize("status", ["archived", "quarantined"])
    def test_an_archived_project_refuses_uploads(
        self, server: Server, target: PackageTarget, index: Index, upload: Uploader, status: str
    ) -> None:
        """A target refuses uploads to an archived or quarantined project, and accepts them when it is active again."""
        upload(index)
        with server.database.transaction():
            target.set_status(index, "demo", status, "because")
        before = snapshot(target, index)

        with pytest.raises(Forbidden, match="because"):
            upload(index, version="2.0")
        assert snapshot(target, index) == before, "change nothing"
        with server.database.transaction():
            target.set_status(index, "demo", "active", "")
        upload(index, version="2.0")

    def test_a_new_project_is_active(
        self, server: Server, target: PackageTarget, index: Index, upload: Uploader
    ) -> None:
        """A target drops the status of a project with its last release: a new project of that name is active."""
        upload(index)
        with server.database.transaction():
            target.set_status(index, "demo", "archived", "done")
        with server.database.transaction():
            target.delete(index, "demo")
        upload(index)
        project = target.project(index, "demo")

        assert project is not None, "return the project: it has a file"
        assert (project.status, project.status_reason) == ("active", ""), "drop the status with the last release"

    def test_quarantine_blocks_files(
        self, server: Server, target: PackageTarget, index: Index, upload: Uploader
    ) -> None:
        """A target opens and pushes no file, metadata or provenance of a quarantined project, and says why."""
        path = upload(index).path
        with server.database.transaction():
            target.set_status(index, "demo", "quarantined", "malware")
        project = target.project(index, "demo")

        assert project is not None, "return the project: a page shows its status"
        assert (project.status, project.status_reason) == ("quarantined", "malware"), "return status and reason"
        for read in (target.open, target.core_metadata, target.provenance):
            with pytest.raises(Forbidden, match="malware"):
                read(index, path)
        with pytest.raises(Forbidden, match="malware"):
            target.fetch_release(index, "demo", "1.0")

    def test_yanks_a_version(self, server: Server, target: PackageTarget, index: Index, upload: Uploader) -> None:
        """A target yanks all files of a version, and no others; None as reason undoes it."""
        upload(index)
        upload(index, version="2.0")
        seen = []
        for reason in ("broken", "", None):
            with server.database.transaction():
                target.yank(index, "demo", "1.0", reason)
            project = target.project(index, "demo")
            assert project is not None, "return the project: it has files"
            seen.append([(file.version, file.yanked) for file in project.files])

        expected = [[("1.0", reason), ("2.0", None)] for reason in ("broken", "", None)]
        assert seen == expected, "yank the files of this version only, also without a reason; None undoes it"

    def test_records_test_results(self, target: PackageTarget, index: Index, upload: Uploader) -> None:
        """A target gives each test result its own path, opens it, and names the tested file."""
        path = upload(index).path
        results = [upload.add_test_result(index, path, content) for content in (b"{}", b"[]", b"{}")]
        (release,) = target.releases(index, "demo")
        links = [link for link in release.files if link.rel == "toxresult"]

        assert len(set(results)) == 3, "give every result its own path, identical ones included"
        tested = [(link.path, link.for_path) for link in links]
        assert tested == [(result, path) for result in results], "link each result to the tested file, in order"
        assert all(link.log[0].who == "bob" for link in links), "log who uploaded the result"
        opened = [target.open(index, link.path) for link in links]
        assert opened == [link.stored for link in links], "open a result by its path"
