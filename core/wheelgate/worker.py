"""gunicorn's ASGI worker with a few lines of ours: a deadline for the head of a request, and a clean end."""

from __future__ import annotations

import asyncio
from typing import Any

from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi

HEAD_DEADLINE = 20.0
"""Seconds from the connection to the end of the first request's headers."""


class Protocol(ASGIProtocol):  # type: ignore[misc]
    """Closes a connection that does not get to the end of its headers; gunicorn waits for them without end."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the clock."""
        super().connection_made(transport)
        self._head_timer = self.worker.loop.call_later(HEAD_DEADLINE, self._head_too_slow)

    def _on_headers_complete(self) -> Any:
        self._stop_clock()
        return super()._on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def _stop_clock(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_too_slow(self) -> None:
        self._head_timer = None
        self._send_error_response(408, "the request took too long to arrive")
        self._close_transport()


class Worker(gasgi.ASGIWorker):  # type: ignore[misc]
    """A worker that serves with the protocol above and closes the application after the last request."""

    def init_process(self) -> None:
        """Set the protocol; gunicorn has no other way to choose it."""
        gasgi.ASGIProtocol = Protocol
        # It looks for its C parser once and notes the result on the class that asks, but reads it from its own: asked
        # by a subclass alone it would never find it.
        ASGIProtocol._check_h1c_protocol_available()  # noqa: SLF001
        super().init_process()

    def run(self) -> None:
        """Serve, then close the application."""
        try:
            super().run()
        finally:
            self.app.close_application()
