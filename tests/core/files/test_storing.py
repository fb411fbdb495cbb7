"""Stored files stay while a record needs them, and go afterwards: in a folder, in a bucket, with both databases."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.helpers.file_index import ShelfSite

from wheelgate.errors import Conflict, Damaged
from wheelgate.files.server_files import Files
from wheelgate.packages import IncomingFile, ReceivedFile, StoredFile

PATH = "+f/abc/0123456789def/abc-1.0.tar.gz"
OTHER = "+f/abc/0123456789def/abc-2.0.tar.gz"
LARGE = bytes(range(256)) * 40_000  # 10 MB: more than one part of a large upload


def files_of(site: ShelfSite) -> Files:
    """Return the ``server.files`` of a server."""
    return site.application.files


def stored(site: ShelfSite) -> set[str]:
    """Return the hashes of all stored files."""
    return {place.replace("/", "") for place, _ in files_of(site).backend.list_files()}


def drafts(site: ShelfSite) -> list[Path]:
    """Return the incoming files."""
    return list((site.config.serverdir / "files" / "drafts").iterdir())


def received(site: ShelfSite, content: bytes) -> ReceivedFile:
    """Receive a complete file."""
    draft = files_of(site).receive()
    draft.write(content)
    return draft.finish()


@pytest.mark.parametrize("content", [b"", b"0123456789", LARGE], ids=["empty", "small", "large"])
def test_a_stored_file_is_served(anywhere: ShelfSite, content: bytes) -> None:
    """A stored file is served unchanged, complete and in part, the first time and later; no incoming file is left."""
    kept = anywhere.shelf.lay(PATH, content)

    assert kept == StoredFile(hashlib.sha256(content).hexdigest(), len(content))
    assert not content or anywhere.get(PATH, Range="bytes=1-5").content == content[1:6]
    assert [anywhere.get(PATH).content == content for _ in range(2)] == [True, True]
    with files_of(anywhere).open(kept) as file:
        assert file.seek(-3, 2) == max(0, len(content) - 3) if content else True
        assert file.read() == content[-3:]
    assert stored(anywhere) == {kept.sha256}
    assert drafts(anywhere) == []


def test_the_requested_hashes_are_computed(shelved: ShelfSite) -> None:
    """A received file has its hashes under the names of the upload form."""
    draft = files_of(shelved).receive("md5", "blake2_256")
    draft.write(b"ab")
    draft.write(b"c")

    assert draft.finish().hashes == {
        "sha256": hashlib.sha256(b"abc").hexdigest(),
        "md5": hashlib.md5(b"abc").hexdigest(),
        "blake2_256": hashlib.blake2b(b"abc", digest_size=32).hexdigest(),
    }


def test_only_the_owner_reads_files(shelved: ShelfSite) -> None:
    """Other users of the machine can read neither the stored files nor their folders."""
    shelved.shelf.lay(PATH, b"abc")
    received(shelved, b"def")

    found = list((shelved.config.serverdir / "files").rglob("*"))
    assert {stat.filemode(path.stat().st_mode) for path in found} == {"drwx------", "-rw-------"}


def test_the_last_record_takes_its_file_with_it(anywhere: ShelfSite) -> None:
    """Two records with the same content share a file, which is removed with the second one."""
    kept = anywhere.shelf.lay(PATH, b"abc")
    anywhere.shelf.lay(OTHER, b"abc")

    anywhere.shelf.drop(PATH)
    anywhere.application.sweep()
    assert stored(anywhere) == {kept.sha256}
    assert anywhere.get(OTHER).content == b"abc"

    anywhere.shelf.drop(OTHER)
    anywhere.application.sweep()
    assert stored(anywhere) == set()


def test_a_rolled_back_deletion_removes_nothing(anywhere: ShelfSite) -> None:
    """If the transaction that removes a record fails, the file stays."""
    kept = anywhere.shelf.lay(PATH, b"abc")

    def fail() -> None:
        with anywhere.shelf.server.database.transaction():
            files_of(anywhere).mark_unreferenced([kept.sha256])
            raise Conflict("somebody was faster")

    with pytest.raises(Conflict):
        fail()
    anywhere.application.sweep()

    assert stored(anywhere) == {kept.sha256}


def test_many_deletions_at_once(shelved: ShelfSite) -> None:
    """Deleting an index with many files removes all of them."""
    paths = [f"+f/abc/0123456789def/abc-{number}.tar.gz" for number in range(250)]
    for path in paths:
        shelved.shelf.lay(path, path.encode())

    shelved.shelf.drop(*paths)
    shelved.application.sweep()

    assert stored(shelved) == set()


def test_an_upload_that_is_refused_late_leaves_nothing(anywhere: ShelfSite) -> None:
    """A stored file is removed if its upload is refused before the record."""
    draft = received(anywhere, b"abc")
    files_of(anywhere).store(draft)
    files_of(anywhere).clean_up(draft)

    assert stored(anywhere) == set()
    assert drafts(anywhere) == []


def test_an_upload_that_is_refused_late_spares_what_others_need(anywhere: ShelfSite) -> None:
    """A refused upload does not remove a file that another record needs."""
    kept = anywhere.shelf.lay(PATH, b"abc")
    draft = received(anywhere, b"abc")
    files_of(anywhere).store(draft)
    files_of(anywhere).clean_up(draft)

    assert stored(anywhere) == {kept.sha256}
    assert anywhere.get(PATH).content == b"abc"


def test_an_upload_that_breaks_off_leaves_nothing(shelved: ShelfSite) -> None:
    """A discarded file is removed at once."""
    draft = files_of(shelved).receive()
    draft.write(b"abc")
    draft.discard()

    assert drafts(shelved) == []


def begun(site: ShelfSite) -> IncomingFile:
    """Begin to receive a file."""
    draft = files_of(site).receive()
    draft.write(b"abc")
    return draft


def whole(site: ShelfSite) -> IncomingFile:
    """Receive a complete file."""
    draft = begun(site)
    draft.finish()
    return draft


def kept(site: ShelfSite) -> IncomingFile:
    """Store a file without recording it."""
    draft = begun(site)
    files_of(site).store(draft.finish())
    return draft


def replaced(site: ShelfSite) -> IncomingFile:
    """Store a file twice without recording it."""
    kept(site)
    return kept(site)


@pytest.mark.parametrize("reach", [begun, whole, kept, replaced])
def test_the_next_start_removes_what_a_crash_left(
    anywhere: ShelfSite, reach: Callable[[ShelfSite], IncomingFile]
) -> None:
    """The next start removes an upload without a record, at whatever stage it was interrupted."""
    other = anywhere.shelf.lay(PATH, b"other")
    draft = reach(anywhere)
    assert drafts(anywhere)

    anywhere.application.sweep()

    assert drafts(anywhere) == []
    assert stored(anywhere) == {other.sha256}
    draft.discard()


@pytest.mark.parametrize("times", [1, 2])
def test_the_next_start_removes_small_files_without_a_record(anywhere: ShelfSite, times: int) -> None:
    """The next start finds a file that was received in one piece through the journal."""
    other = anywhere.shelf.lay(PATH, b"other")
    for _ in range(times):
        files_of(anywhere).store(files_of(anywhere).from_bytes(b"abc"))
    files_of(anywhere).store(files_of(anywhere).from_bytes(b"other"))
    assert len(stored(anywhere)) == 2

    anywhere.application.sweep()

    assert stored(anywhere) == {other.sha256}
    assert anywhere.get(PATH).content == b"other"


def test_a_small_file_takes_the_place_of_a_damaged_one(shelved: ShelfSite) -> None:
    """Storing the same content again replaces the file, which may have been damaged."""
    kept = shelved.shelf.lay(PATH, b"abc")
    place = shelved.config.serverdir / "files" / "sha256" / kept.sha256[:2] / kept.sha256[2:]
    place.write_bytes(b"damaged")

    files_of(shelved).store(files_of(shelved).from_bytes(b"abc"))

    assert shelved.get(PATH).content == b"abc"


def test_a_crash_between_record_and_clean_up_loses_nothing(anywhere: ShelfSite) -> None:
    """A recorded file stays although its incoming file still exists at the next start."""
    draft = received(anywhere, b"abc")
    files_of(anywhere).store(draft)
    anywhere.shelf.lying[PATH] = draft.stored

    anywhere.application.sweep()

    assert drafts(anywhere) == []
    assert anywhere.get(PATH).content == b"abc"


def test_an_upload_and_a_deletion_of_the_same_content(anywhere: ShelfSite) -> None:
    """If the last record is removed during an upload of the same content, the upload stores the file again."""
    anywhere.shelf.lay(PATH, b"abc")
    draft = received(anywhere, b"abc")
    files_of(anywhere).store(draft)
    anywhere.shelf.drop(PATH)
    while stored(anywhere):  # the sweeper comes by itself
        pass

    with anywhere.shelf.server.database.transaction():
        files_of(anywhere).ensure_stored(draft)
        anywhere.shelf.lying[OTHER] = draft.stored
    files_of(anywhere).clean_up(draft)

    assert anywhere.get(OTHER).content == b"abc"


def test_recording_a_removed_file_again_is_refused(anywhere: ShelfSite) -> None:
    """A push of a deleted file is refused: it would record a missing file."""
    found = anywhere.shelf.lay(PATH, b"abc")
    with anywhere.shelf.server.database.transaction():
        files_of(anywhere).require_stored([found])
    anywhere.shelf.drop(PATH)
    anywhere.application.sweep()

    with pytest.raises(Conflict), anywhere.shelf.server.database.transaction():
        files_of(anywhere).require_stored([found])
    with pytest.raises(Damaged):
        files_of(anywhere).open(found)


def test_nothing_is_removed_while_a_plugin_is_missing(tmp_path: Path) -> None:
    """While the plugin of an index is not loaded, no file is removed."""
    with ShelfSite(tmp_path / "server") as site:
        found = site.shelf.lay(PATH, b"abc")
        site.shelf.lying = {}
        with site.shelf.server.database.transaction():
            files_of(site).mark_unreferenced([found.sha256])
            site.shelf.server.database.write("UPDATE sql_store_index SET type = 'gone'")

        site.application.sweep()

        assert stored(site) == {found.sha256}
