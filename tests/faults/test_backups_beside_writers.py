"""Backups of a server to which four clients write: nothing acknowledged before is missing, and nothing is in excess.

A run makes six backups; ``WHEELGATE_BACKUPS`` sets another number::

    WHEELGATE_BACKUPS=20 pytest tests/faults/test_backups_beside_writers.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.upload_forms import address
from tests.helpers.wire import call, login
from tests.helpers.wire_uploads import send

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess
from wheelgate.testing.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

WRITERS = 4
ROUNDS = int(os.environ.get("WHEELGATE_BACKUPS", "6"))
KEPT_FILES = 5
"""How many files of a project are left; a writer deletes the oldest one."""
PROGRAM = str(Path(sys.executable).with_name("devpi-server"))


class Writer(threading.Thread):
    """Uploads one version of its project after the other, and deletes the oldest."""

    def __init__(self, server: ServerProcess, name: str, stop: threading.Event) -> None:
        super().__init__(name=name)
        self._server = server
        self._auth = login(server)
        self._end = stop
        self.uploaded = 0
        """The number of acknowledged uploads."""
        self.deleting = 0
        """The number of deletions that were begun; the oldest version goes first."""
        self.error: BaseException | None = None

    def run(self) -> None:
        """Work until the end."""
        try:
            while not self._end.is_set():
                made = wheel(self.name, f"{self.uploaded}.0", size=20_000)
                assert send(self._server, self._auth, "root/dev", made).status == 200
                self.uploaded += 1
                if self.uploaded - self.deleting > KEPT_FILES:
                    old = wheel(self.name, f"{self.deleting}.0", size=20_000)
                    self.deleting += 1
                    assert call(self._server, "DELETE", f"/root/dev/{address(old)}", {}, self._auth).status == 200
        except BaseException as error:  # noqa: BLE001 - the test shows it
            self.error = error


@contextmanager
def writing(server: ServerProcess) -> Iterator[list[Writer]]:
    """Let the writers work during a ``with`` block."""
    stop = threading.Event()
    writers = [Writer(server, f"project{number}", stop) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        yield writers
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert [writer.error for writer in writers] == [None] * WRITERS


def test_backups_beside_writers(tmp_path: Path) -> None:
    """Of 20 backups beside four writers each has what was acknowledged before it began, and ``fsck`` finds nothing."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, "--host", "127.0.0.1", workers=2) as server:
        config = {"acl_upload": ["root"], "volatile": True}
        assert call(server, "PUT", "/root/dev", config, login(server)).status == 200
        with writing(server) as writers:
            for number in range(ROUNDS):
                backup, restored = tmp_path / "backups" / str(number), tmp_path / "restored"
                before = [writer.uploaded for writer in writers]
                made = subprocess.run(
                    [PROGRAM, "backup", "--serverdir", str(tmp_path / "server"), str(backup)],
                    capture_output=True,
                    text=True,
                )
                deleting = [writer.deleting for writer in writers]
                assert made.returncode == 0, made

                done = subprocess.run(
                    [PROGRAM, "restore", "--serverdir", str(restored), str(backup)], capture_output=True, text=True
                )

                assert (done.returncode, "nothing is wrong" in done.stdout) == (0, True), done
                with Site(restored, prepared=True) as site:
                    for writer, uploaded, gone in zip(writers, before, deleting, strict=True):
                        page = site.request("GET", f"/root/dev/+simple/{writer.name}/").content.decode()
                        missing = [each for each in range(gone, uploaded) if f"{writer.name}-{each}.0-" not in page]
                        assert missing == [], (number, writer.name)
                shutil.rmtree(restored)
        assert min(writer.uploaded for writer in writers) > ROUNDS
