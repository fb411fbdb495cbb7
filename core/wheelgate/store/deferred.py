"""Small changes that may wait: a thread commits all of the last seconds in one transaction.

A change that a request causes, but does not need, would otherwise cost that request a wait for the disk.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable

from wheelgate.errors import Refusal
from wheelgate.store.database import Database

DEFER_SECONDS = 5.0
"""How long a change waits for others. A process that is killed loses the changes that wait."""
MAX_DEFERRED_CHANGES = 10_000
"""Changes that wait; further ones are dropped."""

log = logging.getLogger("wheelgate.store")


class DeferredChanges:
    """Changes by key. Any thread may add one, also on the event loop."""

    def __init__(self, database: Database) -> None:
        """Take the database; the thread starts with the first change."""
        self._database = database
        self._changes: dict[Hashable, Callable[[], object]] = {}
        self._lock = threading.Lock()
        self._added = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, key: Hashable, change: Callable[[], object]) -> None:
        """Call ``change`` within a transaction shortly; a change that waits under the same key is replaced.

        The change has to be one that the server can do without: it is lost if the process is killed, if the database
        does not answer, or if too many wait. A server that refuses all changes ignores it.
        """
        with self._lock:
            if self._closed.is_set() or self._database.read_only or len(self._changes) >= MAX_DEFERRED_CHANGES:
                return
            self._changes[key] = change
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deferred", daemon=True)
                self._thread.start()
        self._added.set()

    def close(self) -> None:
        """Commit the changes that wait, and end the thread."""
        with self._lock:
            self._closed.set()
        self._added.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while self._added.wait():
            self._added.clear()
            self._closed.wait(DEFER_SECONDS)
            self._commit()
            if self._closed.is_set():
                return

    def _commit(self) -> None:
        with self._lock:
            changes, self._changes = self._changes, {}
        if not changes:
            return
        try:
            with self._database.transaction():
                for change in changes.values():
                    change()
        except Refusal as error:
            log.warning("%d small changes were dropped: %s", len(changes), error)
