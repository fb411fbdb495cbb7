"""``/+healthz`` and ``/+readyz``: for whoever decides whether this server gets requests, or is started anew."""

from __future__ import annotations

import asyncio

import falcon.asgi

from wheelgate.errors import BackendUnavailable, Refusal
from wheelgate.files.backends import FileBackend
from wheelgate.http.answers import answer
from wheelgate.http.handler_context import HandlerContext
from wheelgate.store.database import Database
from wheelgate.threads.pool import ThreadPool

MAX_CHECK_SECONDS = 5.0
"""Seconds for which the check of the database, and that of the files, may take."""
ABSENT_SHA256 = "0" * 64
"""A hash that no file has: only whether the storage answers is of interest."""


class HealthResource:
    """``GET /+healthz``: the worker answers."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Answer."""
        resp.set_header("cache-control", "no-store")
        answer(resp, message="ok")


class ReadinessResource:
    """``GET /+readyz``: database and files answer, too. It asks both each time."""

    def __init__(self, context: HandlerContext, database: Database, files: FileBackend, pool: ThreadPool) -> None:
        self._context = context
        self._database = database
        self._files = files
        self._pool = pool

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Ask the database and the files.

        Raises:
            BackendUnavailable: one of them does not answer; the log says which, and why.
        """
        resp.set_header("cache-control", "no-store")
        checks = (self._context.read_stores(self._ask_database), self._pool.run(self._files.size, ABSENT_SHA256))
        try:
            async with asyncio.timeout(MAX_CHECK_SECONDS):
                await asyncio.gather(*checks)
        except (Refusal, TimeoutError):
            raise BackendUnavailable("not ready", retry_after=1) from None
        answer(resp, message="ready")

    def _ask_database(self) -> None:
        self._database.read("SELECT 1")
