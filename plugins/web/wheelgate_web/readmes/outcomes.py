"""The table of rendered descriptions, so that no description is rendered twice, on any worker."""

from __future__ import annotations

import hashlib
import logging
from functools import cache
from importlib import metadata

from wheelgate.caches import LruCache
from wheelgate.errors import Refusal
from wheelgate.store.database import Database

HTML_VERSION = 1
"""Counts the changes of our own part of the rendering."""
LIBRARIES = ("readme-renderer", "nh3", "comrak", "docutils", "Pygments")
MAX_KEPT_OUTCOMES = 20_000
"""Rows of the table; a new row removes the oldest. One takes some 10 kB."""
FAILURE_CACHE_ENTRIES = 1000
"""Descriptions that could not be rendered, remembered by a worker whose database refuses changes."""

log = logging.getLogger("wheelgate.web")


@cache
def renderer_version() -> str:
    """Return a text that differs if the same description might be rendered to other HTML."""
    return " ".join([str(HTML_VERSION), *(f"{name} {metadata.version(name)}" for name in LIBRARIES)])


class Outcomes:
    """What became of descriptions: their HTML, or None if they could not be rendered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._failures: LruCache[str, bool] = LruCache(FAILURE_CACHE_ENTRIES)
        self._slow: LruCache[str, bool] = LruCache(FAILURE_CACHE_ENTRIES)

    def key(self, text: str, media_type: str, variant: str) -> str:
        """Return the key of a description."""
        digest = hashlib.sha256(repr((renderer_version(), media_type, variant)).encode())
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def find(self, key: str) -> tuple[str | None] | None:
        """Return the outcome in a tuple; None if the description has not been rendered yet."""
        rows = self._database.read("SELECT html FROM web_readme WHERE key = ?", (key,))
        if rows:
            return (rows[0][0],)
        return (None,) if self._failures.get(key) else None

    def was_slow_before(self, key: str) -> bool:
        """Return whether this worker has called the method for this description before: once may be chance."""
        before = self._slow.get(key) is not None
        self._slow.put(key, value=True)
        return before

    def record(self, key: str, html: str | None) -> None:
        """Record an outcome, in its own transaction. A database that refuses changes costs only time."""
        if html is None:
            self._failures.put(key, value=True)
        try:
            with self._database.transaction():
                rows = self._database.returning(
                    "INSERT INTO web_readme (key, html) VALUES (?, ?) ON CONFLICT (key) DO NOTHING RETURNING id",
                    (key, html),
                )
                for (number,) in rows:
                    self._database.write("DELETE FROM web_readme WHERE id <= ?", (number - MAX_KEPT_OUTCOMES,))
        except Refusal as refusal:
            log.warning("cannot keep a rendered description: %s", refusal.message)
