"""``kill -9`` during uploads loses no acknowledged file, and leaves no other file listed or stored."""

from __future__ import annotations

import base64
import http.client
import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.helpers.distributions import Distribution, wheel
from tests.helpers.upload_forms import address, encode, file_fields
from tests.helpers.wire import ANSWER_TIMEOUT_SECONDS, NO_ANSWER_ERRORS, Auth, call, kill_all, login
from tests.helpers.wire_uploads import page

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

ROUNDS = 20
WRITERS = 4
MAX_SECONDS_TO_KILL = 0.6
"""Time from the first upload of a round to the kill."""


@dataclass(slots=True)
class Uploader:
    """Uploads files of its own project, one after the other, and deletes some of them."""

    server: ServerProcess
    auth: Auth
    number: int
    acknowledged: dict[str, Distribution] = field(default_factory=dict)
    """By file name."""
    possible: dict[str, Distribution] = field(default_factory=dict)
    """The files if the change in progress was made."""
    refused: list[str] = field(default_factory=list)
    uploads: int = 0

    def run(self, chance: random.Random) -> None:
        """Make changes until the server is killed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=ANSWER_TIMEOUT_SECONDS)
        try:
            while not self.refused:
                self.change(connection, chance)
        except NO_ANSWER_ERRORS:
            return
        finally:
            connection.close()

    def change(self, connection: http.client.HTTPConnection, chance: random.Random) -> None:
        """Make one change and record its answer."""
        after = dict(self.acknowledged)
        if after and chance.random() < 0.3:
            gone = after.pop(chance.choice(sorted(after)))
            method, path, body = "DELETE", f"/root/dev/{address(gone)}", None
            headers: dict[str, str] = {}
        else:
            self.uploads += 1
            size = chance.choice([100, 50_000, 3_000_000])
            made = wheel(f"project{self.number}", f"1.{self.uploads}", size=size)
            after[made.filename] = made
            method, path = "POST", "/root/dev/"
            body, headers = encode(file_fields(made))
        self.possible = after
        credentials = base64.b64encode(":".join(self.auth).encode()).decode()
        connection.request(method, path, body, {"X-Devpi-Auth": credentials, **headers})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            self.refused.append(f"{method} {path}: {answer.status} {text!r}")
        self.acknowledged = after

    def settle(self) -> None:
        """Compare the listed files with the expected ones; the change in progress may have been made or not."""
        listed = page(self.server, "root/dev", f"project{self.number}")
        assert set(listed) in (set(self.acknowledged), set(self.possible))
        self.acknowledged = self.possible if set(listed) == set(self.possible) else self.acknowledged
        for name, made in self.acknowledged.items():
            assert listed[name] == made.sha256
            assert call(self.server, "GET", f"/root/dev/{address(made)}").content == made.content


@pytest.mark.timeout(300)
def test_no_acknowledged_upload_is_lost_and_no_other_remains(tmp_path: Path) -> None:
    """Twenty times, all processes are killed while four clients upload and delete files.

    After the next start each project lists the files that its client expects, with or without the change in progress;
    every listed file is complete; and no file is stored that no project lists.
    """
    chance = random.Random(20)
    server = ServerProcess(tmp_path / "server", *CHEAP_HASHING, workers=2, start_new_session=True)
    server.start()
    try:
        auth = login(server)
        assert call(server, "PUT", "/root/dev", {"acl_upload": ["root"]}, auth).status == 200
        crew = [Uploader(server, auth, number) for number in range(WRITERS)]
        for _ in range(ROUNDS):
            threads = [threading.Thread(target=each.run, args=(random.Random(chance.random()),)) for each in crew]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.05, MAX_SECONDS_TO_KILL))
            kill_all(server)
            for thread in threads:
                thread.join()
            assert [each.refused for each in crew] == [[]] * WRITERS
            server.start()
            for each in crew:
                each.settle()
            needed = {made.sha256 for each in crew for made in each.acknowledged.values()}
            assert stored(tmp_path / "server") == needed
        assert sum(each.uploads for each in crew) > ROUNDS * WRITERS
    finally:
        kill_all(server)
    check = [str(Path(sys.executable).with_name("devpi-server")), "fsck", "--serverdir", str(tmp_path / "server")]
    checked = subprocess.run(check, capture_output=True, text=True)
    assert (checked.returncode, "nothing is wrong" in checked.stdout) == (0, True), checked


def stored(folder: Path) -> set[str]:
    """Return the hashes of the stored files; check that there are no other files."""
    files = folder / "files"
    found = {path.relative_to(files) for path in files.rglob("*") if not path.is_dir()}
    assert {path.parts[0] for path in found} <= {"sha256"}
    return {"".join(path.parts[1:]) for path in found}
