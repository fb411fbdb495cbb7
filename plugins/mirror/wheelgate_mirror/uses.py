"""Records on which day a cached file was used last, for ``devpi-server prune-mirror``.

A use costs the request nothing: it is recorded once a day for each file, shortly afterwards and together with others.
Only the use of a file that was unused for a week, which a prune may remove, is recorded before the file is sent.
"""

from __future__ import annotations

import time
from functools import partial

from wheelgate import Server
from wheelgate_mirror import use_queries
from wheelgate_mirror.queries import MirroredFile

SECONDS_PER_DAY = 86_400
MIN_UNUSED_DAYS = 7
"""Days without a use before a prune may remove a file."""


def day() -> int:
    """Return the number of days since 1970."""
    return int(time.time() // SECONDS_PER_DAY)


class UseRecorder:
    """Records uses of the cached files of all mirrors."""

    def __init__(self, server: Server) -> None:
        self._database = server.database
        self._deferred = server.deferred

    def record(self, index: str, file: MirroredFile) -> bool:
        """Record that a file is used now; return False if it was removed in the meantime.

        Call it outside of transactions.
        """
        today = day()
        if file.used == today:
            return True
        record = partial(use_queries.mark_used, self._database, index, file.path, today)
        if today - file.used < MIN_UNUSED_DAYS or self._database.read_only:
            self._deferred.add((index, file.path), record)
            return True
        with self._database.transaction():
            return record()
