"""``devpi-server fsck``: what a fault has left is found, and put right where it can be."""

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
    """Return the folder of a server that was stopped after two uploads to ``alice/dev``; it stays as it is."""
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
    """Return where a file is stored."""
    return folder / "files" / "sha256" / dist.sha256[:2] / dist.sha256[2:]


def nothing(folder: Path) -> list[str]:
    """Leave everything as it is."""
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
    """Lay a file among the stored ones that nobody recorded."""
    other = place(folder, wheel("other"))
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(b"abc")
    return [f"{other.parent.name}/{other.name}: no package needs it"]


def stray(folder: Path) -> list[str]:
    """Lay something among the stored files that is none."""
    (place(folder, ONE).parent / "notes.txt").write_text("abc")
    return [f"{place(folder, ONE).parent.name}/notes.txt: is no stored file"]


def interrupt(folder: Path) -> list[str]:
    """Leave an upload half done."""
    (folder / "files" / "drafts").mkdir(exist_ok=True)
    (folder / "files" / "drafts" / "0123.part").write_bytes(b"abc")
    return ["drafts/0123.part: left by an upload that was interrupted"]


def interrupt_placing(folder: Path) -> list[str]:
    """Leave a small upload half done: its file is half there, and so is the note about the next one."""
    other = place(folder, wheel("other"))
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(b"abc")
    (folder / "files" / "placing").mkdir(exist_ok=True)
    (folder / "files" / "placing" / "0123").write_text(f"{ONE.sha256}\n{wheel('other').sha256}\n{'f' * 20}")
    lines = ["placing/0123: left by an upload that was interrupted"]
    return [*lines, f"{other.parent.name}/{other.name}: no package needs it"]


def leave_a_note_of_nothing(folder: Path) -> list[str]:
    """Leave what every process leaves that is killed."""
    (folder / "files" / "placing").mkdir(exist_ok=True)
    (folder / "files" / "placing" / "0123").touch()
    return []


FAULTS = [nothing, lose, cut, change, add, stray, interrupt, leave_a_note_of_nothing]


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_found_and_nothing_is_changed(
    run: Run,  # noqa: F811
    folder: Path,
    fault: Callable[[Path], list[str]],
) -> None:
    """Without ``--repair`` the command looks, says what is wrong, and fails if anything is; twice the same."""
    found = fault(folder)

    outcomes = [run("fsck", *CHEAPLY, "--serverdir", folder) for _ in range(2)]

    assert outcomes[0].out == outcomes[1].out
    assert [outcome.code for outcome in outcomes] == [bool(found)] * 2
    assert outcomes[0].out.splitlines()[:-1] == found
    end = (
        "1 found; nothing was changed: run 'devpi-server fsck --repair' to repair them" if found else "nothing is wrong"
    )
    assert outcomes[0].out.splitlines()[-1] == f"2 stored files checked, {end}"


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_repaired(
    run: Run,  # noqa: F811
    serve: Serve,
    folder: Path,
    fault: Callable[[Path], list[str]],
) -> None:
    """After ``--repair`` nothing is wrong: a good file is served as ever, a damaged one is no longer offered."""
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


def test_what_was_being_placed_is_removed_unless_it_is_needed(run: Run, folder: Path) -> None:  # noqa: F811
    """A note tells of a file that is recorded and of one that is not; with the note the second one goes."""
    found = interrupt_placing(folder)

    looked = run("fsck", *CHEAPLY, "--serverdir", folder)
    repaired = run("fsck", *CHEAPLY, "--serverdir", folder, "--repair")

    assert (looked.code, looked.out.splitlines()[:-1]) == (1, found)
    assert (repaired.code, repaired.out.splitlines()[:-1]) == (0, [f"{found[0]} (repaired)"])
    assert place(folder, ONE).exists()
    assert not place(folder, wheel("other")).exists()


def test_hashes_can_be_left_out(run: Run, folder: Path) -> None:  # noqa: F811
    """``--no-hashes`` looks at sizes alone, which takes no time, and misses what only the content shows."""
    change(folder)

    assert run("fsck", *CHEAPLY, "--serverdir", folder, "--no-hashes").code == 0


def test_a_running_server_is_not_checked(run: Run, folder: Path) -> None:  # noqa: F811
    """Beside a running server, what is being uploaded would look like a fault."""
    from wheelgate.process.startup import lock_folder

    lock = lock_folder(folder)
    try:
        outcome = run("fsck", *CHEAPLY, "--serverdir", folder)
    finally:
        os.close(lock)

    outcome.fails(1, f"another server uses {folder}; stop it, or start this one with another --serverdir")


def test_a_folder_without_a_server(run: Run, tmp_path: Path) -> None:  # noqa: F811
    """Where no server was started there is nothing to check, and nothing is made."""
    outcome = run("fsck", "--serverdir", tmp_path)

    outcome.fails(1, f"no server was started in {tmp_path} yet; name its folder with --serverdir")
    assert list(tmp_path.iterdir()) == []
