"""A start, an upload, a migration, a backup and a restore that are killed before a write lose and leave nothing.

A run tries four writes of each, spread over all of them. ``WHEELGATE_KILLS`` sets another number; with ``all``, a run
tries every write, which takes an hour or more::

    WHEELGATE_KILLS=all pytest -s tests/faults/test_killed_writes.py
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.faults.test_killed_uploads import stored
from tests.helpers.distributions import wheel
from tests.helpers.upload_forms import address
from tests.helpers.wire import NO_ANSWER_ERRORS, Auth, call, kill_all, login
from tests.helpers.wire_uploads import page, send
from tests.helpers.write_faults import WriteFaults, sampled, write_faults  # noqa: F401 - a fixture

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment

KILLS = int(os.environ.get("WHEELGATE_KILLS", "4").replace("all", "1000000"))
"""Writes of each kind of work that are tried, spread over all of them."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(max(600, min(KILLS, 1000) * 60))]

MIN_WRITES = 10
"""Fewer writes of a start mean that they were not counted."""
PROGRAM = str(Path(sys.executable).with_name("devpi-server"))
KEPT = [wheel("abc", "1.0", size=1000), wheel("abc", "2.0", size=2_000_000)]

UNDO_MIGRATION = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
for column in ("session_epoch", "session_epoch_began"):
    database.execute(f"ALTER TABLE server_state DROP COLUMN {column}")
database.execute("ALTER TABLE ended_session DROP COLUMN epoch")
assert database.execute("DELETE FROM core_migration WHERE name = '0003_session_epochs'").rowcount == 1
database.commit()
os._exit(0)  # without closing the database, so that the change stays in its log
"""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for the hundreds of starts of a long run: other programs may need the processors in between."""
    if "WHEELGATE_KILLS" in os.environ:
        monkeypatch.setattr("wheelgate.testing.server_process.START_TIMEOUT_SECONDS", 300)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a server that was killed after two uploads; no test may change it."""
    folder = tmp_path_factory.mktemp("killed") / "server"
    server = ServerProcess(folder, *CHEAP_HASHING, start_new_session=True).start()
    try:
        auth = login(server)
        assert call(server, "PUT", "/root/dev", {"acl_upload": ["root"]}, auth).status == 200
        assert [send(server, auth, "root/dev", made).status for made in KEPT] == [200, 200]
    finally:
        kill_all(server)
    assert (folder / "wheelgate.db-wal").stat().st_size
    return folder


@pytest.fixture(scope="module", params=["killed", "restored"])
def outdated(request: pytest.FixtureRequest, killed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return such a folder before the last migration, as the server left it or restored from a backup."""
    folder = shutil.copytree(killed, tmp_path_factory.mktemp("outdated") / "server")
    database = folder / "wheelgate.db"
    if request.param == "restored":
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("VACUUM INTO ?", (str(folder / "backup"),))
        for path in folder.glob("wheelgate.db*"):
            path.unlink()
        (folder / "backup").rename(database)
    subprocess.run([sys.executable, "-c", UNDO_MIGRATION, str(database)], check=True)
    return folder


def start(faults: WriteFaults, folder: Path, at: int) -> None:
    """Start a server that is killed at a write, and end it once it listens."""
    faults.kill_at(at)
    environment = clean_environment(**faults.environment(folder))
    command = [PROGRAM, "--serverdir", str(folder), "--port", "0", *CHEAP_HASHING]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "listens on" in line:
                break
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def sampled_writes(faults: WriteFaults) -> list[int]:
    """Return the numbers of the writes to try, of those that were counted; say how many."""
    tried = sampled(faults.count, KILLS)
    print(f"{len(tried)} of {faults.count} writes are tried", flush=True)
    return tried


def each_kill(faults: WriteFaults, folder: Path, beginning: Path | None) -> Iterator[int]:
    """Yield the number of a write after a start in the folder was killed there; each start begins anew."""
    points: list[int] = [0]
    for at in points:
        shutil.rmtree(folder, ignore_errors=True)
        if beginning is not None:
            shutil.copytree(beginning, folder)
        start(faults, folder, at)
        if not at:
            assert faults.count > MIN_WRITES
            points += sampled_writes(faults)
        yield at


def test_a_first_start(write_faults: WriteFaults, tmp_path: Path) -> None:  # noqa: F811
    """After a first start that was killed at a write, the next one makes a whole server."""
    folder = tmp_path / "server"
    for _ in each_kill(write_faults, folder, None):
        with ServerProcess(folder, *CHEAP_HASHING) as server:
            auth = login(server)
            assert call(server, "PUT", "/root/dev", {"acl_upload": ["root"]}, auth).status == 200
            assert send(server, auth, "root/dev", KEPT[0]).status == 200
        assert not [path.name for path in folder.iterdir() if ".new" in path.name]


def test_a_migration(write_faults: WriteFaults, outdated: Path, tmp_path: Path) -> None:  # noqa: F811
    """After a start that was killed at a write of its migration, the next one has every package."""
    folder = tmp_path / "server"
    for at in each_kill(write_faults, folder, outdated):
        with ServerProcess(folder, *CHEAP_HASHING) as server:
            login(server)
            assert page(server, "root/dev", "abc") == {made.filename: made.sha256 for made in KEPT}, at
            for made in KEPT:
                assert call(server, "GET", f"/root/dev/{address(made)}").content == made.content, at
        assert stored(folder) == {made.sha256 for made in KEPT}, at


@pytest.mark.parametrize("size", [1000, 2_000_000])
def test_an_upload(write_faults: WriteFaults, killed: Path, tmp_path: Path, size: int) -> None:  # noqa: F811
    """An upload that is killed at a write is there as a whole, or not at all."""
    folder = shutil.copytree(killed, tmp_path / "server")
    environment = clean_environment(**write_faults.environment(folder))
    server = ServerProcess(folder, *CHEAP_HASHING, env=environment, start_new_session=True)
    known, points = {made.sha256 for made in KEPT}, [0]
    write_faults.kill_at(0)
    server.start()
    try:
        auth: Auth = login(server)
        for at in points:
            made = wheel(f"p{at}", "1.0", size=size)
            write_faults.kill_at(at)
            acknowledged = False
            with suppress(*NO_ANSWER_ERRORS):
                acknowledged = send(server, auth, "root/dev", made).status == 200
            if not at:
                points += sampled_writes(write_faults)
            kill_all(server)
            write_faults.kill_at(0)
            server.start()
            listed = page(server, "root/dev", f"p{at}")
            assert listed in ([{made.filename: made.sha256}] if acknowledged else [{}, {made.filename: made.sha256}])
            known |= set(listed.values())
            assert stored(folder) == known, at
    finally:
        kill_all(server)


def command(*arguments: str | Path, **popen: Any) -> subprocess.CompletedProcess[str]:
    """Run a subcommand of ``devpi-server``."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, **popen)


def test_a_backup(write_faults: WriteFaults, killed: Path, tmp_path: Path) -> None:  # noqa: F811
    """A backup that was killed at a write is unfinished, harms nothing, and is whole when the command ran again."""
    source, backup, restored = shutil.copytree(killed, tmp_path / "server"), tmp_path / "backup", tmp_path / "restored"
    environment = clean_environment(**write_faults.environment(backup))
    points = [0]
    for at in points:
        for folder in (backup, restored):
            shutil.rmtree(folder, ignore_errors=True)
        write_faults.kill_at(at)
        done = command("backup", "--serverdir", source, backup, env=environment)
        assert done.returncode == (-signal.SIGKILL if at else 0), (at, done)
        if not at:
            points += sampled_writes(write_faults)
        finished = (backup / "manifest.json").exists()
        assert command("restore", "--check", backup).returncode == (0 if finished else 1), at
        assert finished or command("backup", "--serverdir", source, backup).returncode == 0, at
        assert command("restore", "--check", backup).returncode == 0, at
        done = command("restore", backup, "--serverdir", restored)
        assert "2 stored files checked, nothing is wrong" in done.stdout, (at, done)
    with ServerProcess(source, *CHEAP_HASHING) as server:
        assert len(page(server, "root/dev", "abc")) == len(KEPT)


def test_a_restore(write_faults: WriteFaults, killed: Path, tmp_path: Path) -> None:  # noqa: F811
    """After a restore that was killed at a write no server starts with less; run again, the command makes all."""
    backup, restored = tmp_path / "backup", tmp_path / "restored"
    assert command("backup", "--serverdir", killed, backup).returncode == 0
    environment = clean_environment(**write_faults.environment(restored))
    points = [0]
    for at in points:
        shutil.rmtree(restored, ignore_errors=True)
        write_faults.kill_at(at)
        done = command("restore", backup, "--serverdir", restored, env=environment)
        assert done.returncode == (-signal.SIGKILL if at else 0), (at, done)
        if not at:
            points += sampled_writes(write_faults)
        has_database = (restored / "wheelgate.db").exists()
        if not has_database and (restored / "files").exists():
            assert command("init", "--serverdir", restored).returncode == 1, at
        again = command("restore", backup, "--serverdir", restored)
        complete = has_database and not (restored / ".restoring").exists()
        assert again.returncode == 0 or (complete and "already" in again.stderr), (at, again)
        assert command("fsck", "--serverdir", restored).returncode == 0, at
        assert stored(restored) == {made.sha256 for made in KEPT}, at
