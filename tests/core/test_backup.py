"""``devpi-server backup`` and ``restore``: what a backup has, what they refuse, and what they copy."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.helpers.commands import CHEAPLY, Outcome, Run, run  # noqa: F401 - a fixture
from tests.helpers.distributions import Distribution, wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, upload

from wheelgate.testing.site import Site

ONE, TWO = wheel("abc", "1.0"), wheel("abc", "2.0")

UNDO_MIGRATION = """
    DELETE FROM core_migration WHERE name = '0003_session_epochs';
    ALTER TABLE ended_session DROP COLUMN epoch;
    ALTER TABLE server_state DROP COLUMN session_epoch;
    ALTER TABLE server_state DROP COLUMN session_epoch_began;
"""


@pytest.fixture(scope="module")
def filled(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a server with two files on ``alice/dev``; no test may change it."""
    folder = tmp_path_factory.mktemp("filled") / "server"
    shutil.copytree(template, folder)
    with Site(folder) as site:
        alice = site.add_user("alice")
        assert site.request("PUT", "/alice/dev", {}, auth=alice).status == 200
        assert [upload(site, "alice/dev", each, alice).status for each in (ONE, TWO)] == [200, 200]
    return folder


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder."""
    return shutil.copytree(filled, tmp_path / "server")


@pytest.fixture(scope="module")
def backed_up(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a backup of the folder; no test may change it."""
    from wheelgate.main import main

    backup = tmp_path_factory.mktemp("backups") / "backup"
    assert main(["backup", *CHEAPLY, "--serverdir", str(filled), str(backup)]) == 0
    return backup


def back_up(run: Run, folder: Path, backup: Path, *options: str) -> Outcome:  # noqa: F811
    """Run ``backup``."""
    return run("backup", *CHEAPLY, "--serverdir", folder, backup, *options)


def restore(run: Run, backup: Path, folder: Path, *options: str) -> Outcome:  # noqa: F811
    """Run ``restore``."""
    return run("restore", *CHEAPLY, "--serverdir", folder, backup, *options)


def copy_of(backup: Path, dist: Distribution) -> Path:
    """Return the path of a package file in a backup, or in the folder of a server."""
    return backup / "files" / "sha256" / dist.sha256[:2] / dist.sha256[2:]


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Return inode and time of change of every file and folder."""
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in sorted([folder, *folder.rglob("*")])}


@pytest.mark.parametrize("options", [(), ("--compact",), ("--hard-links",), ("--copy-all",)], ids=str)
def test_a_restored_server_has_everything(
    run: Run,  # noqa: F811
    serve: Serve,
    folder: Path,
    tmp_path: Path,
    options: tuple[str, ...],
) -> None:
    """A server that is restored from a backup has users, indices, files and logins; only its owner can read either."""
    with Site(folder) as site:
        alice = site.login("alice", "correct horse")

        made = back_up(run, folder, tmp_path / "backup", *options)

        assert upload(site, "alice/dev", wheel("later"), alice).status == 200
    restored = restore(run, tmp_path / "backup", tmp_path / "restored")
    again = serve("restored")
    assert (made.code, restored.code) == (0, 0)
    assert "2 stored files checked, nothing is wrong" in restored.out
    for dist in (ONE, TWO):
        assert again.request("GET", f"/alice/dev/{address(dist)}").content == dist.content
    assert again.request("GET", "/alice/dev/+simple/later/").status == 404
    assert upload(again, "alice/dev", wheel("new"), alice).status == 200
    paths = [path for top in ("backup", "restored") for path in [tmp_path / top, *(tmp_path / top).rglob("*")]]
    assert {oct(path.stat().st_mode & 0o777) for path in paths} == {"0o700", "0o600"}
    assert {path.stat().st_nlink > 1 for path in paths if path.parent.name == ONE.sha256[:2]} == (
        {True, False} if options == ("--hard-links",) else {False}
    )


def test_the_list_of_hashes_is_one_for_sha256sum(backed_up: Path) -> None:
    """``sha256sum --check`` verifies a backup without wheelgate, and the list has every file but the manifest."""
    done = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=backed_up, capture_output=True, text=True)

    files = {str(path.relative_to(backed_up)) for path in backed_up.rglob("*") if path.is_file()}
    assert done.returncode == 0
    assert {line.removesuffix(": OK") for line in done.stdout.splitlines()} == files - {"SHA256SUMS", "manifest.json"}


def test_a_finished_backup_is_never_written_to(run: Run, folder: Path, backed_up: Path) -> None:  # noqa: F811
    """``backup`` refuses a finished backup and changes nothing there."""
    before = snapshot(backed_up)

    outcome = back_up(run, folder, backed_up)

    outcome.fails(
        1, f"{backed_up} has a finished backup, which is never written to; name a folder that does not exist yet"
    )
    assert snapshot(backed_up) == before


def test_the_next_backup_links_what_the_last_one_has(run: Run, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    """A backup beside another one copies new files only, unless all are to be copied; deleted files are in none."""
    back_up(run, folder, tmp_path / "monday")
    with Site(folder) as site:
        alice = site.login("alice", "correct horse")
        assert upload(site, "alice/dev", wheel("new"), alice).status == 200
        assert site.request("DELETE", f"/alice/dev/{address(ONE)}", auth=alice).status == 200

    tuesday = back_up(run, folder, tmp_path / "tuesday")
    whole = back_up(run, folder, tmp_path / "whole", "--copy-all")
    elsewhere = back_up(run, folder, tmp_path / "below" / "elsewhere", "--previous", str(tmp_path / "whole"))

    assert f"database copied; 1 file copied, 1 linked to {tmp_path / 'monday'}\n" in tuesday.out
    assert "database copied; 2 files copied\n" in whole.out
    assert f"database copied; 0 files copied, 2 linked to {tmp_path / 'whole'}\n" in elsewhere.out
    assert copy_of(tmp_path / "monday", TWO).samefile(copy_of(tmp_path / "tuesday", TWO))
    assert not copy_of(tmp_path / "tuesday", ONE).exists()
    for name in ("monday", "tuesday", "whole", "below/elsewhere"):
        assert run("restore", "--check", tmp_path / name).code == 0


def expose(backup: Path) -> None:
    """Let others write into a backup."""
    backup.chmod(0o777)


def belong_to_another(backup: Path) -> None:
    """Say that a backup is one of another server."""
    manifest = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps({**manifest, "server": "0" * 32}))


@pytest.mark.parametrize("change", [expose, belong_to_another], ids=lambda change: change.__name__)
def test_files_of_others_are_not_linked(
    run: Run,  # noqa: F811
    folder: Path,
    tmp_path: Path,
    change: Callable[[Path], None],
) -> None:
    """Without ``--previous`` only private backups of the same server count: others may have changed their files."""
    back_up(run, folder, tmp_path / "backup")
    change(tmp_path / "backup")

    assert "database copied; 2 files copied\n" in back_up(run, folder, tmp_path / "next").out


def test_a_compact_backup_has_no_free_pages(run: Run, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    """``--compact`` leaves out the free pages of the database."""
    with closing(sqlite3.connect(folder / "wheelgate.db")) as database:
        database.executescript("CREATE TABLE junk AS SELECT zeroblob(1000000) AS content; DROP TABLE junk")

    back_up(run, folder, tmp_path / "plain")
    back_up(run, folder, tmp_path / "compact", "--compact")

    sizes = [(tmp_path / name / "wheelgate.db").stat().st_size for name in ("plain", "compact")]
    assert sizes[0] > sizes[1] + 900_000


def test_a_backup_without_the_plugin_of_an_index(run: Run, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    """If the plugin of an index is left out, all stored files are copied, because some may be its own."""
    outcome = back_up(run, folder, tmp_path / "backup", "--no-plugin", "stage")

    assert (outcome.code, "database copied; 2 files copied\n" in outcome.out) == (0, True)
    assert restore(run, tmp_path / "backup", tmp_path / "restored").code == 0


def test_a_backup_before_an_upgrade(run: Run, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    """A newer version backs up the database of an older one without changing it, and restores and upgrades it."""
    with closing(sqlite3.connect(folder / "wheelgate.db")) as database:
        database.executescript(UNDO_MIGRATION)
        database.execute("ALTER TABLE stage_file RENAME TO stage_file_of_old")
    files = snapshot(folder / "files")

    outcome = back_up(run, folder, tmp_path / "backup")

    assert (outcome.code, "database copied; 2 files copied\n" in outcome.out) == (0, True)
    with closing(sqlite3.connect(folder / "wheelgate.db")) as database:
        names = [name for (name,) in database.execute("SELECT name FROM core_migration")]
        database.execute("ALTER TABLE stage_file_of_old RENAME TO stage_file")
    assert "0003_session_epochs" not in names
    assert snapshot(folder / "files") == files
    back_up(run, folder, tmp_path / "again")
    assert restore(run, tmp_path / "again", tmp_path / "restored").code == 0


def test_an_unfinished_backup_goes_on(run: Run, folder: Path, backed_up: Path, tmp_path: Path) -> None:  # noqa: F811
    """A backup without its manifest goes on: what is complete stays, and everything else is made anew."""
    backup = shutil.copytree(backed_up, tmp_path / "backup")
    (backup / "manifest.json").rename(backup / "unfinished")
    (backup / "drafts").mkdir()
    (backup / "drafts" / "0123.part").write_bytes(b"abc")
    os.truncate(copy_of(backup, TWO), 10)
    copy_of(backup, wheel("old")).parent.mkdir(exist_ok=True)
    copy_of(backup, wheel("old")).write_bytes(b"abc")

    unfinished = run("restore", "--check", backup)
    outcome = back_up(run, folder, backup)

    unfinished.fails(1, f"{backup} has no finished backup: there is no manifest.json in it")
    assert "database copied; 1 file copied, 1 there already\n" in outcome.out
    assert run("restore", "--check", backup).out.endswith(": 2 files, database and secret are intact\n")
    names = {path.name for path in backup.iterdir()}
    assert names == {"SHA256SUMS", "files", "manifest.json", "secret", "wheelgate.db"}
    assert not copy_of(backup, wheel("old")).exists()


def test_lost_files_of_the_server_are_reported(run: Run, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    """If the server has lost or damaged files, the backup has all others, and the command fails and names them."""
    copy_of(folder, ONE).unlink()
    copy_of(folder, TWO).write_bytes(bytes(len(TWO.content)))

    outcome = back_up(run, folder, tmp_path / "backup")
    check = run("restore", "--check", tmp_path / "backup")
    restored = restore(run, tmp_path / "backup", tmp_path / "restored")

    assert outcome.code == 1
    assert [each.sha256 in outcome.err for each in (ONE, TWO)] == [True, True]
    assert (check.code, restored.code) == (0, 1)
    assert f"alice/dev/{address(ONE)}: it is missing" in restored.out


def occupy(folder: Path) -> list[str]:
    """Put something into the folder."""
    folder.mkdir()
    (folder / "notes.txt").touch()
    return ["is not empty"]


def be_a_file(folder: Path) -> list[str]:
    """Put a file in place of the folder."""
    folder.touch()
    return ["it is not a folder"]


@pytest.mark.parametrize("occupied", [occupy, be_a_file], ids=lambda each: each.__name__)
def test_other_folders_are_refused(
    run: Run,  # noqa: F811
    folder: Path,
    backed_up: Path,
    tmp_path: Path,
    occupied: Callable[[Path], list[str]],
) -> None:
    """Neither command writes into a folder that has something else."""
    words = occupied(tmp_path / "taken")
    before = snapshot(tmp_path / "taken")

    made = back_up(run, folder, tmp_path / "taken")
    restored = restore(run, backed_up, tmp_path / "taken")

    assert (made.code, restored.code, snapshot(tmp_path / "taken")) == (1, 1, before)
    assert all(word in made.err for word in words)
    assert "empty" in restored.err or "not a folder" in restored.err


def test_arguments_that_contradict_are_refused(run: Run, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    """The command refuses a folder among the server's files, links into a bucket, and to link and copy at once."""
    backup = tmp_path / "backup"
    inside = back_up(run, folder, folder / "files" / "backup")
    bucket = back_up(run, folder, backup, "--hard-links", "--files", "s3://packages")
    both = back_up(run, folder, backup, "--copy-all", "--hard-links")
    none = back_up(run, folder, backup, "--previous", str(tmp_path / "absent"))

    assert [outcome.code for outcome in (inside, bucket, both, none)] == [1, 1, 1, 1]
    assert "is among the package files" in inside.err
    assert "--hard-links: the package files are in a bucket" in bucket.err
    assert "--copy-all contradicts" in both.err
    assert f"{tmp_path / 'absent'} has no finished backup" in none.err


def cut_file(backup: Path) -> str:
    """Cut a package file off."""
    os.truncate(copy_of(backup, ONE), 10)
    return f"files/sha256/{ONE.sha256[:2]}/{ONE.sha256[2:]} is damaged"


def lose_file(backup: Path) -> str:
    """Remove a package file."""
    copy_of(backup, ONE).unlink()
    return f"files/sha256/{ONE.sha256[:2]}/{ONE.sha256[2:]} is missing"


def change_database(backup: Path) -> str:
    """Change the database."""
    with (backup / "wheelgate.db").open("ab") as file:
        file.write(b"x")
    return "wheelgate.db is damaged"


def lose_secret(backup: Path) -> str:
    """Remove the secret."""
    (backup / "secret").unlink()
    return "secret is missing"


def change_sums(backup: Path) -> str:
    """Let the list of hashes name a file outside of the backup."""
    with (backup / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  ../../etc/passwd\n")
    return "SHA256SUMS is damaged"


def change_manifest(backup: Path) -> str:
    """Cut the manifest off."""
    os.truncate(backup / "manifest.json", 30)
    return "manifest.json is damaged"


def come_from_the_future(backup: Path) -> str:
    """Give the manifest a newer format."""
    manifest = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps({**manifest, "format": 2}))
    return "has the format 2, which this version cannot read"


FILE_FAULTS = [cut_file, lose_file]
FAULTS = [*FILE_FAULTS, change_database, lose_secret, change_sums, change_manifest, come_from_the_future]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_damaged_backup_is_not_restored(
    run: Run,  # noqa: F811
    backed_up: Path,
    tmp_path: Path,
    fault: Callable[[Path], str],
) -> None:
    """``restore`` refuses a damaged backup and writes nothing; so does ``--check``; losses of files can be accepted."""
    backup = shutil.copytree(backed_up, tmp_path / "backup")
    problem = fault(backup)
    before = snapshot(backup)

    check = run("restore", "--check", backup)
    refused = restore(run, backup, tmp_path / "restored")
    made = (tmp_path / "restored").exists()
    accepted = restore(run, backup, tmp_path / "restored", "--accept-losses")

    assert (check.code, refused.code, made) == (1, 1, False)
    assert problem in check.err
    assert problem in refused.err
    assert snapshot(backup) == before
    assert ("1 found" in accepted.out) == (fault in FILE_FAULTS)
    assert (tmp_path / "restored").exists() == (fault in FILE_FAULTS)


def test_a_restore_that_was_interrupted_goes_on(run: Run, backed_up: Path, tmp_path: Path) -> None:  # noqa: F811
    """No server starts in a folder that is half restored; the same backup can be restored again, another one cannot."""
    target = tmp_path / "restored"
    target.mkdir(mode=0o700)
    shutil.copy(backed_up / "manifest.json", target / ".restoring")
    (target / "files" / "drafts").mkdir(mode=0o700, parents=True)
    (target / "files" / "drafts" / "0123.part").write_bytes(b"abc")
    other = shutil.copytree(backed_up, tmp_path / "other")
    belong_to_another(other)

    started = run("init", *CHEAPLY, "--serverdir", target)
    wrong = restore(run, other, target)
    right = restore(run, backed_up, target)

    assert started.code == 1
    assert "a backup was being restored into" in started.err
    assert wrong.code == 1
    assert "another backup was being restored" in wrong.err
    assert (right.code, (target / ".restoring").exists()) == (0, False)


def test_a_secret_outside_of_the_folder(run: Run, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    """The secret goes where ``--secretfile`` says; another one that is there is not replaced."""
    secret, other = tmp_path / "secret", tmp_path / "other"
    (folder / ".secret").rename(secret)
    other.write_text("0123456789abcdefghijklmnopqrstuvwxyz")
    other.chmod(0o600)
    assert back_up(run, folder, tmp_path / "backup", "--secretfile", str(secret)).code == 0

    kept = restore(run, tmp_path / "backup", tmp_path / "one", "--secretfile", str(secret))
    refused = restore(run, tmp_path / "backup", tmp_path / "two", "--secretfile", str(other))
    made = restore(run, tmp_path / "backup", tmp_path / "three", "--secretfile", str(tmp_path / "new"))

    assert (kept.code, refused.code, made.code) == (0, 1, 0)
    assert f"{other} has another secret than the backup" in refused.err
    assert (tmp_path / "new").read_bytes() == secret.read_bytes()


def test_both_commands_are_recorded(run: Run, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    """The log has one line about each backup and each restore, with numbers and no secret."""
    made = back_up(run, folder, tmp_path / "backup")
    restored = restore(run, tmp_path / "backup", tmp_path / "restored")

    detail = '{"database": "sqlite", "files": 2, "lost": 0}'
    assert f"info wheelgate.commands: server.backup {tmp_path / 'backup'} {detail}\n" in made.err
    assert f'info wheelgate.commands: server.restore {tmp_path / "backup"} {{"files": 2, "lost": 0}}\n' in restored.err
    secret = (folder / ".secret").read_text()
    assert secret not in made.out + made.err + restored.out + restored.err
