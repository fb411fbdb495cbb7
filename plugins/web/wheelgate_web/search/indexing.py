"""Keeps the tables of the search like the packages of the server: at once after an event, and as a whole by stamps."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from wheelgate import Event, Server
from wheelgate.errors import Refusal
from wheelgate.packages import normalize
from wheelgate.providers import Job
from wheelgate_web.search.entries import Entry, entry_of
from wheelgate_web.search.tables import SearchTables

SWEEP_SECONDS = 60.0
"""Seconds between two comparisons of all stamps, which find what no event has told."""
RETRY_SECONDS = 5.0
"""Seconds after which a worker tries again if another one compares the stamps, or has died while it did."""
LEASE_SECONDS = 5.0
"""Seconds for which a worker may be silent before another one goes on with its work."""
GATHER_SECONDS = 0.2
"""Seconds that an event waits for others: the files of a release come one after the other."""
BATCH_PROJECTS = 20
"""Projects that one transaction writes; other changes of SQLite wait for it."""
WHOLE_INDEX = ""
"""In the place of a project's name: the index itself has changed."""

PROJECT_EVENTS = (
    "FileUploaded",
    "ReleaseRegistered",
    "ReleaseYanked",
    "ReleaseUnyanked",
    "ProjectStatusChanged",
    "ProjectDeleted",
    "VersionDeleted",
    "FileDeleted",
)
"""Events about a project of the index that is their subject."""
EVENTS = frozenset({*PROJECT_EVENTS, "ReleasePushed", "IndexDeleted"})

Stopping = Callable[[], bool]

log = logging.getLogger("wheelgate.search")


class Indexer:
    """Reads packages and writes entries. Workers may do so at the same time: a stamp tells who has read the latest."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._packages = server.packages
        self._tables = SearchTables(server.database)
        self._lock = threading.Lock()
        self._changed: dict[tuple[str, str], None] = {}
        """Indices and projects that events have named, and that are not read yet; any thread may add some."""
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._swept_at = -SWEEP_SECONDS
        self._swept_serial = -1
        self.job = Job("search", self.run, RETRY_SECONDS, events=EVENTS, notice=self.notice)

    def notice(self, event: Event) -> None:
        """Remember what an event says to read again, and wake the job."""
        if event.name == "ReleasePushed":
            change = str(event.detail["target"]), normalize(str(event.detail["project"]))
        elif event.name == "IndexDeleted":
            change = event.subject, WHOLE_INDEX
        else:
            change = event.subject, normalize(str(event.detail["project"]))
        with self._lock:
            self._changed[change] = None
        self.job.wake.set()

    def run(self, stopping: Stopping) -> None:
        """Read what events have named; and all indices whose stamp has changed, if it is time for that."""
        if self._changed:
            time.sleep(GATHER_SECONDS)
            self._follow_events(stopping)
        if time.monotonic() - self._swept_at >= SWEEP_SECONDS:
            self.sweep(stopping)

    def sweep(self, stopping: Stopping) -> bool:
        """Read all indices again whose stamp has changed; False if another worker does, or this one has to stop."""
        serial = self._server.database.serial()
        if serial != self._swept_serial:
            if not self._has_lease():
                return False
            stored, paths = self._tables.stamps(), [index.path for index in self._server.indices.list()]
            for path in {*self._tables.paths(), *paths}:
                stamp = self._packages.stamp(path)
                if stamp != stored.get(path, "") and not self._read_index(path, stamp, stopping):
                    return False
        self._swept_at, self._swept_serial = time.monotonic(), serial
        return True

    def rebuild(self) -> int:
        """Remove all entries and make them again; return their number."""
        with self._server.database.transaction(derived=True):
            self._tables.clear()
        for index in self._server.indices.list():
            self._read_index(index.path, self._packages.stamp(index.path), lambda: not self._has_lease())
        return self._tables.count()

    def _follow_events(self, stopping: Stopping) -> None:
        with self._lock:
            changed, self._changed = self._changed, {}
        names: dict[str, list[str]] = {}
        for path, name in changed:
            if name == WHOLE_INDEX:
                self._read_index(path, self._packages.stamp(path), stopping)
            else:
                names.setdefault(path, []).append(name)
        for path, each in names.items():
            self._read_projects(path, each, stopping)

    def _read_index(self, path: str, stamp: str, stopping: Stopping) -> bool:
        """Read the projects of an index that have changed; False if this was stopped.

        Without a stamp the index is gone. The stamp is older than what is read: a change in between gives another one.
        """
        if not stamp:
            with self._server.database.transaction(derived=True):
                self._tables.lock(path)
                if not self._packages.stamp(path):
                    self._tables.remove_index(path)
            return True
        known, names = self._tables.project_stamps(path), self._packages.projects(path)
        gone = known.keys() - set(names)
        changed = (name for name in names if known.get(name) != self._packages.stamp(path, name))
        if not self._read_projects(path, [*gone, *changed], lambda: stopping() or not self._has_lease()):
            return False
        with self._server.database.transaction(derived=True):
            self._tables.save_stamp(path, stamp)
        return True

    def _read_projects(self, path: str, names: Sequence[str], stopping: Stopping) -> bool:
        """Read projects and write their entries; False if this was stopped."""
        for batch in batches(names, BATCH_PROJECTS):
            if stopping():
                return False
            read = list(self._read(path, batch))
            with self._server.database.transaction(derived=True):
                self._tables.lock(path)
                for name, stamp, entry in read:
                    # If it has changed again, whoever follows that change writes the entry.
                    if stamp == self._packages.stamp(path, name):
                        self._write(path, name, stamp, entry)
        return True

    def _read(self, path: str, names: Iterable[str]) -> Iterator[tuple[str, str, Entry | None]]:
        """Yield projects with their stamps and entries. One that cannot be read must not keep the others out."""
        for name in names:
            try:
                stamp = self._packages.stamp(path, name)
                yield name, stamp, entry_of(path, name, self._packages.releases(path, name))
            except Refusal:
                raise
            except Exception as error:  # noqa: BLE001 - an index type may be anybody's
                log.error("the search cannot read %s of %s: %s", name, path, type(error).__name__)

    def _write(self, path: str, name: str, stamp: str, entry: Entry | None) -> None:
        if entry is None:
            self._tables.remove(path, name)
        else:
            self._tables.save(entry, stamp)

    def _has_lease(self) -> bool:
        """Take or renew the lease of the worker that compares all stamps: two of them would do the same work twice."""
        return self._tables.take_lease("sweep", self._holder, LEASE_SECONDS)


def batches(names: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield names in groups."""
    remaining = iter(names)
    while batch := list(islice(remaining, size)):
        yield batch
