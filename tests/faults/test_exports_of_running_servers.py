"""An export beside a server that takes uploads and deletions is one state of it, and complete."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.helpers.commands import CHEAPLY
from tests.helpers.distributions import wheel
from tests.helpers.wire import call, login
from tests.helpers.wire_uploads import send

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PROGRAM = str(Path(sys.executable).with_name("devpi-server"))
PAIRS = 40
"""Versions that exist before; each upload of another is followed by the deletion of an older one."""
EXPORTS = 3


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a subcommand in a process of its own."""
    line = [PROGRAM, *arguments, *CHEAPLY]
    return subprocess.run(line, env=clean_environment(), capture_output=True, text=True, check=False)


def test_an_export_beside_changes(tmp_path: Path) -> None:
    """While versions come and go, each export is imported without a fault, and has as many files as there ever are."""
    stop = threading.Event()
    changes = [0]
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING) as server:
        auth = login(server)
        assert call(server, "PUT", "/root/dev", {"acl_upload": ["root"]}, auth).status == 200
        for number in range(PAIRS):
            assert send(server, auth, "root/dev", wheel("hello", f"1.{number}")).status == 200

        def change() -> None:
            number = PAIRS
            while not stop.is_set():
                assert send(server, auth, "root/dev", wheel("hello", f"1.{number}")).status == 200
                assert call(server, "DELETE", f"/root/dev/hello/1.{number - PAIRS}", None, auth).status == 200
                number += 1
                changes[0] += 1

        writer = threading.Thread(target=change)
        writer.start()
        try:
            for number in range(EXPORTS):
                done = command("export", str(tmp_path / f"export-{number}"), "--serverdir", str(tmp_path / "server"))
                assert (done.returncode, done.stderr) == (0, ""), done
        finally:
            stop.set()
            writer.join()

    assert changes[0]
    for number in range(EXPORTS):
        done = command("import", str(tmp_path / f"export-{number}"), "--serverdir", str(tmp_path / f"again-{number}"))
        assert (done.returncode, done.stderr) == (0, ""), done
        counts = done.stdout.rpartition("imported ")[2]
        assert any(f" {count} versions" in counts for count in (PAIRS, PAIRS + 1)), counts
