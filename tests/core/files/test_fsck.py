"""``devpi-server fsck`` finds damage among the stored files, and repairs it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.helpers.commands import CHEAPLY, Run, run  # noqa: F401 - a fixture
from tests.helpers.distributions import Distribution, wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, upload

from wheelgate.testing.site import Site

ONE, TWO = wheel("abc", "1.0"), wheel("abc", "2.0")
WHERE = f"alice/dev/{address(ONE)}"


@pytest.fixture(scope="module")
def stopped(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a server that was stopped after two uploads to ``alice/dev``; no test may change it."""
    folder = tmp_path_factory.mktemp("stopped") / "server"
    shutil.copytree(template, folder)
    with Site(folder) as site:
        alice = site.add_user("alice")
        assert site.request("PUT", "/alice/dev", {}, auth=alice).status == 200
        assert [upload(site, "alice/dev", each, alice).status for each in (ONE, TWO)] == [200, 200]
    return folder


@pytest.fixture
def folder(stopped: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder."""
    return shutil.copytree(stopped, tmp_path / "server")


def place(folder: Path, dist: Distribution) -> Path:
    """Return the path of a stored file."""
    return folder / "files" / "sha256" / dist.sha256[:2] / dist.sha256[2:]


def nothing(folder: Path) -> list[str]:
    """Change nothing."""
    return []


def lose(folder: Path) -> list[str]:
    """Remove a stored file."""
    place(folder, ONE).unlink()
    return [f"{WHERE}: it is missing"]


def cut(folder: Path) -> list[str]:
    """Cut a stored file off."""
    os.truncate(place(folder, ONE), 10)
    return [f"{WHERE}: it has 10 bytes instead of {len(ONE.content)}"]


def change(folder: Path) -> list[str]:
    """Change a byte."""
    place(folder, ONE).write_bytes(bytes([ONE.content[0] ^ 1]) + ONE.content[1:])
    return [f"{WHERE}: its content has another hash"]


def add(folder: Path) -> list[str]:
    """Add a stored file without a record."""
    other = place(folder, wheel("other"))
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(b"abc")
    return [f"{other.parent.name}/{other.name}: no package needs it"]


def stray(folder: Path) -> list[str]:
    """Add a file with another name to the store."""
    (place(folder, ONE).parent / "notes.txt").write_text("abc")
    return [f"{place(folder, ONE).parent.name}/notes.txt: is not a stored file"]


def interrupt(folder: Path) -> list[str]:
    """Leave an interrupted upload."""
    (folder / "files" / "drafts").mkdir(exist_ok=True)
    (folder / "files" / "drafts" / "0123.part").write_bytes(b"abc")
    return ["drafts/0123.part: left by an upload that was interrupted"]


def interrupt_small_upload(folder: Path) -> list[str]:
    """Leave an interrupted small upload: an incomplete file, and a journal whose last line is incomplete."""
    other = place(folder, wheel("other"))
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(b"abc")
    (folder / "files" / "placing").mkdir(exist_ok=True)
    (folder / "files" / "placing" / "0123").write_text(f"{ONE.sha256}\n{wheel('other').sha256}\n{'f' * 20}")
    lines = ["placing/0123: left by an upload that was interrupted"]
    return [*lines, f"{other.parent.name}/{other.name}: no package needs it"]


def leave_an_empty_journal(folder: Path) -> list[str]:
    """Leave an empty journal, as every killed process does."""
    (folder / "files" / "placing").mkdir(exist_ok=True)
    (folder / "files" / "placing" / "0123").touch()
    return []


FAULTS = [nothing, lose, cut, change, add, stray, interrupt, leave_an_empty_journal]


@pytest.mark.parametrize("fault", FAULTS)
def test_damage_is_reported_and_nothing_is_changed(
    run: Run,  # noqa: F811
    folder: Path,
    fault: Callable[[Path], list[str]],
) -> None:
    """Without ``--repair`` the command reports the damage, changes nothing, and fails if there is any."""
    found = fault(folder)

    outcomes = [run("fsck", *CHEAPLY, "--serverdir", folder) for _ in range(2)]

    assert outcomes[0].out == outcomes[1].out
    assert [outcome.code for outcome in outcomes] == [bool(found)] * 2
    assert outcomes[0].out.splitlines()[:-1] == found
    end = (
        f"1 found; nothing was changed: run 'devpi-server fsck --repair --serverdir {folder}' to repair them"
        if found
        else "nothing is wrong"
    )
    assert outcomes[0].out.splitlines()[-1] == f"2 stored files checked, {end}"


@pytest.mark.parametrize("fault", FAULTS)
def test_damage_is_repaired(
    run: Run,  # noqa: F811
    serve: Serve,
    folder: Path,
    fault: Callable[[Path], list[str]],
) -> None:
    """After ``--repair`` nothing is wrong: undamaged files are served, and damaged ones are no longer offered."""
    found = fault(folder)

    repaired = run("fsck", *CHEAPLY, "--serverdir", folder, "--repair")
    again = run("fsck", *CHEAPLY, "--serverdir", folder)

    assert (repaired.code, repaired.out.splitlines()[:-1]) == (0, [f"{line} (repaired)" for line in found])
    assert (again.code, again.out.splitlines()[1:]) == (0, [])
    site = serve(str(folder))
    page = site.request("GET", "/alice/dev/+simple/abc/").content.decode()
    lost = fault in {lose, cut, change}
    assert (ONE.filename in page, TWO.filename in page) == (not lost, True)
    assert site.request("GET", f"/alice/dev/{address(TWO)}").content == TWO.content
    if lost:
        assert site.request("GET", f"/alice/dev/{address(ONE)}").status in {404, 410}
        assert upload(site, "alice/dev", ONE, site.login("alice", "correct horse")).status == 200
        assert site.request("GET", f"/alice/dev/{address(ONE)}").content == ONE.content
    if fault in {cut, change}:
        assert (folder / "files" / "damaged" / ONE.sha256).exists()


def test_files_in_a_journal_are_removed_unless_recorded(run: Run, folder: Path) -> None:  # noqa: F811
    """Of the files in a journal, a repair removes only the one without a record, and the journal."""
    found = interrupt_small_upload(folder)

    looked = run("fsck", *CHEAPLY, "--serverdir", folder)
    repaired = run("fsck", *CHEAPLY, "--serverdir", folder, "--repair")

    assert (looked.code, looked.out.splitlines()[:-1]) == (1, found)
    assert (repaired.code, repaired.out.splitlines()[:-1]) == (0, [f"{found[0]} (repaired)"])
    assert place(folder, ONE).exists()
    assert not place(folder, wheel("other")).exists()


MANY = [wheel("many", f"1.{number}") for number in range(12)]


@pytest.fixture(scope="module")
def many(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a server that was stopped after twelve uploads; no test may change it."""
    folder = tmp_path_factory.mktemp("many") / "server"
    shutil.copytree(template, folder)
    with Site(folder) as site:
        alice = site.add_user("alice")
        assert site.request("PUT", "/alice/dev", {}, auth=alice).status == 200
        assert {upload(site, "alice/dev", each, alice).status for each in MANY} == {200}
    return folder


def misplace(folder: Path) -> None:
    """Restore the files into another folder."""
    (folder / "files" / "sha256").rename(folder / "files" / "restored")


def restore_few(folder: Path) -> None:
    """Restore only one of the files."""
    for each in MANY[1:]:
        place(folder, each).unlink()


def restore_names(folder: Path) -> None:
    """Restore the files without their content."""
    for each in MANY[1:]:
        os.truncate(place(folder, each), 0)


def restore_an_old_database(folder: Path, template: Path) -> None:
    """Restore a database from before the uploads."""
    for path in folder.glob("wheelgate.db*"):
        path.unlink()
    shutil.copy(template / "wheelgate.db", folder)


@pytest.mark.parametrize(
    ("restore", "why", "left"),
    [
        pytest.param(misplace, "12 of 12 files are missing or damaged", [], id="misplaced"),
        pytest.param(restore_few, "11 of 12 files are missing or damaged", [MANY[0].filename], id="few"),
        pytest.param(restore_names, "11 of 12 files are missing or damaged", [MANY[0].filename], id="names"),
        pytest.param(restore_an_old_database, "no package needs 12 of 12 files", [], id="old database"),
    ],
)
def test_a_repair_stops_if_files_and_database_do_not_belong_together(
    run: Run,  # noqa: F811
    serve: Serve,
    template: Path,
    many: Path,
    tmp_path: Path,
    restore: Callable[..., None],
    why: str,
    left: list[str],
) -> None:
    """After a misplaced restore a repair changes nothing and says why, unless the losses are accepted."""
    folder = shutil.copytree(many, tmp_path / "server")
    restore(folder, template) if restore is restore_an_old_database else restore(folder)
    before = {path: path.stat().st_size for path in (folder / "files").rglob("*") if path.is_file()}

    stopped = run("fsck", *CHEAPLY, "--serverdir", folder, "--repair")
    command = f"'devpi-server fsck --repair --accept-losses --serverdir {folder}'"
    after = {path: path.stat().st_size for path in (folder / "files").rglob("*") if path.is_file()}
    repaired = run("fsck", *CHEAPLY, "--serverdir", folder, "--repair", "--accept-losses")

    assert (stopped.code, "(repaired)" in stopped.out, after) == (1, False, before)
    assert f"nothing was changed: {why}, so " in stopped.out.splitlines()[-1]
    assert stopped.out.endswith(f"if the files are really lost, run {command}\n")
    assert (repaired.code, run("fsck", *CHEAPLY, "--serverdir", folder).code) == (0, 0)
    page = serve(str(folder)).request("GET", "/alice/dev/+simple/many/").content.decode()
    assert [each.filename for each in MANY if each.filename in page] == left


def test_a_repair_may_lose_a_few_of_many_files(run: Run, many: Path, tmp_path: Path) -> None:  # noqa: F811
    """Ten missing files may be an accident."""
    folder = shutil.copytree(many, tmp_path / "server")
    for each in MANY[2:]:
        place(folder, each).unlink()

    assert run("fsck", *CHEAPLY, "--serverdir", folder, "--repair").code == 0


def test_hashes_can_be_left_out(run: Run, folder: Path) -> None:  # noqa: F811
    """``--no-hashes`` compares only sizes, and so misses changed content."""
    change(folder)

    assert run("fsck", *CHEAPLY, "--serverdir", folder, "--no-hashes").code == 0


def test_a_running_server_is_not_checked(run: Run, folder: Path) -> None:  # noqa: F811
    """The command refuses to run beside a server, whose uploads would look like damage."""
    from wheelgate.process.startup import lock_folder

    lock = lock_folder(folder)
    try:
        outcome = run("fsck", *CHEAPLY, "--serverdir", folder)
    finally:
        os.close(lock)

    outcome.fails(1, f"another server uses {folder}; stop it, or start this one with another --serverdir")


def test_a_folder_without_a_server(run: Run, tmp_path: Path) -> None:  # noqa: F811
    """Without a started server the command fails and creates nothing."""
    outcome = run("fsck", "--serverdir", tmp_path)

    outcome.fails(
        1,
        f"no server was started in {tmp_path} yet; start it with 'devpi-server --serverdir {tmp_path}', or name its "
        "folder with --serverdir",
    )
    assert list(tmp_path.iterdir()) == []
