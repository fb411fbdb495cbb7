"""An import that is killed, or whose disk is full, at any write: repeated, it has everything; no half server starts."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from tests.helpers.commands import CHEAPLY, Run, run  # noqa: F401 - a fixture
from tests.helpers.distributions import wheel
from tests.helpers.exports import Export
from tests.helpers.upload_forms import address
from tests.helpers.write_faults import WriteFaults, sampled, write_faults  # noqa: F401 - a fixture

from wheelgate.errors import StartupError
from wheelgate.testing.server_process import clean_environment
from wheelgate.testing.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MOMENTS = 3
"""Writes before which an import is killed, or from which on the disk is full, spread over all of them."""
FILES = [wheel("hello", f"1.{number}") for number in range(4)]
PROGRAM = Path(sys.executable).with_name("devpi-server")


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an export with two users and some files."""
    made = Export(tmp_path_factory.mktemp("interrupted") / "export")
    made.user("alice")
    made.user("bob")
    made.index("alice/dev")
    made.index("bob/dev", bases=["alice/dev"])
    for file in FILES:
        made.file("alice/dev", file)
    made.file("bob/dev", wheel("world", "2.0"))
    return made.write()


def imported(export: Path, folder: Path, faults: WriteFaults) -> subprocess.CompletedProcess[str]:
    """Run the import in a process whose writes to the folder of the server count."""
    environment = clean_environment(**faults.environment(folder))
    command = [str(PROGRAM), "import", str(export), "--serverdir", str(folder), *CHEAPLY]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def check_complete(folder: Path) -> None:
    """Check that a server has everything that the export has, and nothing else."""
    with Site(folder) as site:
        for file in FILES:
            assert site.request("GET", f"/bob/dev/{address(file)}").status == 404
            assert site.request("GET", f"/alice/dev/{address(file)}").content == file.content
        assert site.login("root", "root's")
        assert sorted(site.request("GET", "/").result) == ["alice", "bob", "root"]
    stored = [path for path in (folder / "files" / "sha256").rglob("*") if path.is_file()]
    assert len(stored) == len(FILES) + 1


def is_complete(folder: Path, export: Path) -> bool:
    """Return whether a server starts in a folder after an interrupted import; if not, check why.

    There may be no database yet, or the last write may have been one after the end of the import.
    """
    if not (folder / "wheelgate.db").exists():
        return False
    with suppress(StartupError):
        check_complete(folder)
        return True
    with pytest.raises(
        StartupError, match=f"^an import of {export} is not finished: repeat it, or remove this folder$"
    ):
        Site(folder)
    return False


def test_an_import_that_is_killed(export: Path, tmp_path: Path, write_faults: WriteFaults) -> None:  # noqa: F811
    """Killed before any write, the folder has no server that starts, or a whole one; repeated, it is whole."""
    write_faults.stop()
    assert imported(export, tmp_path / "counted", write_faults).returncode == 0
    check_complete(tmp_path / "counted")

    for moment in sampled(write_faults.count, MOMENTS):
        folder = tmp_path / f"killed-{moment}"
        write_faults.kill_at(moment)
        assert imported(export, folder, write_faults).returncode == -signal.SIGKILL
        write_faults.stop()
        if not is_complete(folder, export):
            repeated = imported(export, folder, write_faults)
            assert (repeated.returncode, repeated.stderr) == (0, "")
            check_complete(folder)


def test_an_import_onto_a_full_disk(export: Path, tmp_path: Path, write_faults: WriteFaults) -> None:  # noqa: F811
    """Full at any write, the import ends with 1 and one sentence; with space again, it goes on."""
    write_faults.stop()
    assert imported(export, tmp_path / "counted", write_faults).returncode == 0

    for moment in sampled(write_faults.count, MOMENTS):
        folder = tmp_path / f"full-{moment}"
        write_faults.fail_from(moment, errno.ENOSPC)
        failed = imported(export, folder, write_faults)
        write_faults.stop()
        if failed.returncode:
            assert (failed.returncode, failed.stderr.count("\n")) == (1, 1), failed
            assert failed.stderr.startswith("devpi-server: "), failed
            assert not is_complete(folder, export)
            assert imported(export, folder, write_faults).returncode == 0
        check_complete(folder)


def test_another_import_into_an_unfinished_one(
    export: Path,
    tmp_path: Path,
    write_faults: WriteFaults,  # noqa: F811
    run: Run,  # noqa: F811
) -> None:
    """An unfinished import goes on with the same export and the same options only."""
    write_faults.stop()
    assert imported(export, tmp_path / "counted", write_faults).returncode == 0
    write_faults.kill_at(write_faults.count // 2)
    imported(export, tmp_path / "server", write_faults)
    command = ["import", str(export), "--serverdir", str(tmp_path / "server"), *CHEAPLY]

    refused = run(*command, "--rename", "alice=emilie")

    assert (refused.code, "has other options" in refused.err) == (1, True)
    assert run(*command).code == 0
    check_complete(tmp_path / "server")
