"""A program that uploads files to its own server and prints the steps that made each file durable, as JSON.

Run it as ``python -m tests.helpers.recorded_uploads FOLDER``. It wraps the functions with which Python calls the
system, and traces SQLite's statements. That works everywhere, while tracing system calls needs a tool and the right to
use it. It is a separate process, so that nothing else opens files in it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import falcon.testing
from tests.helpers.concurrent_requests import sent_to_localhost
from tests.helpers.distributions import Distribution, wheel
from tests.helpers.upload_forms import encode, file_fields

from wheelgate.testing.site import Site

LARGE_BYTES = 3_500_000
"""More than a server keeps in memory of an upload."""
CONCURRENT_UPLOADS = 24

Identity = tuple[int, int]
"""Device and inode, which a file keeps when it is renamed."""


@dataclass(frozen=True, slots=True)
class RecordedStep:
    """An operation on a file or folder, or a statement that is about to be executed."""

    name: str
    identity: Identity | None = None
    path: str = ""
    connection: int = 0


class Recorder:
    """Records the steps of this process, in their order."""

    def __init__(self) -> None:
        self.steps: list[RecordedStep] = []
        self.connections: dict[int, sqlite3.Connection] = {}

    def start(self) -> None:
        """Start recording."""
        self._wrap(os, "open", self._opened)
        self._wrap(os, "write", lambda result, descriptor, data: self._record("write", descriptor))
        self._wrap(os, "fsync", lambda result, descriptor: self._record("wait for", descriptor))
        self._wrap(os, "mkdir", lambda result, path, *rest: self._record("make", path))
        self._wrap(os, "link", lambda result, source, target, **named: self._record("link", target))
        self._wrap(os, "rename", lambda result, source, target: self._record("rename", target))
        self._wrap(sqlite3, "connect", self._connected)

    def _wrap(self, module: Any, name: str, then: Callable[..., None]) -> None:
        """Call another function after a function of a module, if that does not raise."""
        original = getattr(module, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            result = original(*arguments, **named)
            then(result, *arguments, **named)
            return result

        setattr(module, name, wrapped)

    def _record(self, name: str, target: Any) -> None:
        path = "" if isinstance(target, int) else os.fspath(target)
        self.steps.append(RecordedStep(name, identity(target), path))

    def _opened(self, descriptor: int, path: Any, flags: int, *rest: Any, **named: Any) -> None:
        if flags & os.O_CREAT:
            self._record("create", path)

    def _connected(self, connection: sqlite3.Connection, *arguments: Any, **named: Any) -> None:
        self.connections[id(connection)] = connection  # keeps a reference, so that no other connection gets its ID
        connection.set_trace_callback(partial(self._executed, id(connection)))

    def _executed(self, connection: int, statement: str) -> None:
        self.steps.append(RecordedStep(statement.strip(), connection=connection))


def steps_of(dist: Distribution, site: Site, steps: Sequence[RecordedStep]) -> list[str]:
    """Return the steps of a file until its record was committed, with repeated writes and folder syncs merged."""
    store = site.config.serverdir / "files" / "sha256"
    path = store / dist.sha256[:2] / dist.sha256[2:]
    folders = {"folder": path.parent, "sha256": store, "files": store.parent, "serverdir": store.parents[1]}
    names = {identity(folder): name for name, folder in folders.items()} | {identity(path): "file"}
    names_of_steps: list[str] = []
    recording = 0
    for step in steps:
        if step.name.startswith("INSERT") and dist.sha256 in step.name:
            recording = step.connection
            names_of_steps.append("record")
        elif step.name == "COMMIT" and step.connection == recording:
            return [name for name, _ in groupby([*names_of_steps, "commit"])]
        elif step.identity in names and (step.name not in {"link", "rename"} or Path(step.path) == path):
            name = f"{step.name} {names[step.identity]}"
            if name in names_of_steps and names[step.identity] in folders:
                names_of_steps.remove(name)
            names_of_steps.append(name)
    raise AssertionError(f"{dist.filename} was not recorded: {names_of_steps}")


def identity(target: Any) -> Identity:
    """Return the identity of a file or folder, by its path or descriptor."""
    found = os.stat(target)  # noqa: PTH116 - also takes a descriptor
    return found.st_dev, found.st_ino


async def upload(site: Site, index: str, dists: Sequence[Distribution], auth: tuple[str, str]) -> None:
    """Upload files at the same time."""
    token = base64.b64encode(":".join(auth).encode()).decode()
    async with falcon.testing.ASGIConductor(sent_to_localhost(site)) as client:
        requests = []
        for dist in dists:
            body, headers = encode(file_fields(dist))
            requests.append(client.simulate_post(f"/{index}/", body=body, headers={**headers, "X-Devpi-Auth": token}))
        statuses = [answer.status_code for answer in await asyncio.gather(*requests)]
    if statuses != [200] * len(dists):
        raise AssertionError(statuses)


def main(folder: Path) -> None:
    """Upload small and large files, one by one and together, new ones and ones that are already stored."""
    recorder = Recorder()
    recorder.start()
    small, large = wheel("small"), wheel("large", size=LARGE_BYTES)
    group = [wheel(f"project{number}") for number in range(CONCURRENT_UPLOADS)]
    cases = {
        "small": ("root/dev", [small]),
        "small-again": ("root/other", [small]),
        "large": ("root/dev", [large]),
        "large-again": ("root/other", [large]),
        "group": ("root/dev", group),
        "group-again": ("root/other", group),
    }
    report: dict[str, Any] = {}
    with Site(folder) as site:
        auth = site.login("root", "")
        for index in ("root/dev", "root/other"):
            site.request("PUT", f"/{index}", {}, auth=auth)
        for case, (index, dists) in cases.items():
            recorder.steps.clear()
            asyncio.run(upload(site, index, dists, auth))
            steps = list(recorder.steps)
            committed = [recorder.connections[step.connection] for step in steps if step.name == "COMMIT"]
            report[case] = {
                "files": [steps_of(dist, site, steps) for dist in dists],
                "synchronous": [each.execute("PRAGMA synchronous").fetchone()[0] for each in committed],
            }
    print(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
