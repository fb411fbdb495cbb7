"""``kill -9`` at any moment loses no acknowledged change, leaves none half done, and needs no repair."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.wire import NO_ANSWER_ERRORS, Auth, Connection, call, kill_all, launched, login, wait_until, workers

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

ROUNDS = 20
WRITERS = 4
MAX_SECONDS_TO_KILL = 0.5
"""Time from the first change of a round to the kill."""

State = dict[str, dict[str, Any]]


@dataclass(slots=True)
class Writer:
    """Changes its own users, one after the other, and remembers their expected state.

    Each user has an index ``dev`` whose list of uploaders contains the user and another user of this writer.
    """

    server: ServerProcess
    root: Auth
    number: int
    acknowledged: State = field(default_factory=dict)
    possible: State = field(default_factory=dict)
    """The state if the change in progress was made."""
    refused: list[str] = field(default_factory=list)
    changes: int = 0

    def run(self, chance: random.Random) -> None:
        """Make changes until the server is killed."""
        connection = Connection(self.server)
        try:
            while not self.refused:
                self.change(connection, chance)
        except NO_ANSWER_ERRORS:
            return
        finally:
            connection.close()

    def change(self, connection: Connection, chance: random.Random) -> None:
        """Make one change and record its answer."""
        name = f"writer{self.number}-user{chance.randrange(6)}"
        other = f"writer{self.number}-user{chance.randrange(6)}"
        after = deepcopy(self.acknowledged)
        user = after.get(name)
        if user is None:
            method, path, body = "PUT", f"/{name}", {"password": "1234"}
            after[name] = {"email": None, "uploaders": None}
        elif chance.random() < 0.3:
            method, path, body = "DELETE", f"/{name}", {}
            del after[name]
            for left in after.values():
                left["uploaders"] = left["uploaders"] and [each for each in left["uploaders"] if each != name]
        elif chance.random() < 0.5:
            user["email"] = f"{chance.random()}@mydomain.net"
            method, path, body = "PATCH", f"/{name}", {"email": user["email"]}
        else:
            method = "PUT" if user["uploaders"] is None else "PATCH"
            user["uploaders"] = sorted({name, other} & set(after))
            path, body = f"/{name}/dev", {"acl_upload": user["uploaders"]}
        self.possible = after
        answer = connection.call(method, path, body, self.root)
        if answer.status not in {200, 201}:
            self.refused.append(f"{method} {path} {body}: {answer.status} {answer.message}")
        self.acknowledged = after
        self.changes += 1

    def settle(self, listing: dict[str, Any]) -> None:
        """Compare the users with the expected state; the change in progress may have been made or not."""
        mine = f"writer{self.number}-"
        found = {
            name: {"email": user.get("email"), "uploaders": user["indexes"].get("dev", {}).get("acl_upload")}
            for name, user in listing.items()
            if name.startswith(mine)
        }
        assert found in (self.acknowledged, self.possible)
        self.acknowledged = found


def test_nothing_acknowledged_is_lost_and_nothing_is_half_done(tmp_path: Path) -> None:
    """Twenty times, all processes are killed while four clients create, change and delete users and indices.

    Afterwards each user has the state of the last acknowledged change, or of the change in progress; deleted users
    leave no index and no entry in a list; and logins from before the kill stay valid.
    """
    chance = random.Random(20)
    server = ServerProcess(tmp_path / "server", *CHEAP_HASHING, workers=2, start_new_session=True)
    server.start()
    try:
        root = login(server)
        crew = [Writer(server, root, number) for number in range(WRITERS)]
        for _ in range(ROUNDS):
            threads = [threading.Thread(target=each.run, args=(random.Random(chance.random()),)) for each in crew]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0, MAX_SECONDS_TO_KILL))
            kill_all(server)
            for thread in threads:
                thread.join()
            assert [each.refused for each in crew] == [[]] * WRITERS
            server.start()
            listing = call(server, "GET", "/").result
            for each in crew:
                each.settle(listing)
                for number in range(6):
                    name = f"writer{each.number}-user{number}"
                    if name not in listing:
                        assert call(server, "GET", f"/{name}/dev").status == 404
        assert sum(each.changes for each in crew) > ROUNDS * WRITERS
    finally:
        kill_all(server)


def test_a_start_that_is_killed_can_be_repeated(tmp_path: Path) -> None:
    """After a kill at any moment of the first start, the next start works, with root and its password."""
    options = (*CHEAP_HASHING, "--root-passwd", "1234")
    for step in range(5):
        folder = tmp_path / str(step)
        with launched("--serverdir", str(folder), "--port", "0", *options, start_new_session=True) as process:
            time.sleep(0.4 + 0.15 * step)
            os.killpg(process.pid, signal.SIGKILL)
        with ServerProcess(folder, *options, start_new_session=True) as server:
            login(server, "root", "1234")
            kill_all(server)


def test_a_dead_worker_is_replaced(tmp_path: Path) -> None:
    """After one of two workers is killed, every new request is answered, and soon there are two workers again."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, workers=2) as server:
        wait_until(lambda: len(workers(server)) == 2, "two workers")
        before = workers(server)
        os.kill(min(before), signal.SIGKILL)
        assert [call(server, "GET", "/").status for _ in range(50)] == [200] * 50
        wait_until(lambda: len(workers(server) - {min(before)}) == 2, "a new worker")
        root = login(server)
        assert [call(server, "PUT", f"/root/dev{number}", {}, root).status for number in range(20)] == [200] * 20


def test_workers_do_not_outlive_their_master(tmp_path: Path) -> None:
    """If only the master is killed, a new server can use the folder at once, and the old workers end."""
    folder = tmp_path / "server"
    old = ServerProcess(folder, *CHEAP_HASHING, workers=2).start()
    orphans = workers(old)
    for pid in orphans:
        os.kill(pid, signal.SIGSTOP)
    os.kill(old.pid, signal.SIGKILL)
    old.stop()
    try:
        with ServerProcess(folder, *CHEAP_HASHING) as new:
            assert call(new, "GET", "/").status == 200
    finally:
        for pid in orphans:
            os.kill(pid, signal.SIGCONT)
    wait_until(lambda: not any(map(running, orphans)), "the old workers end")


def running(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
