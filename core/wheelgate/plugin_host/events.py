"""Sends events to the plugins, after the commit and outside of the request."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from wheelgate.logs import REQUEST_ID
from wheelgate.plugin_host.discovery import Implementation
from wheelgate.plugin_host.failures import failure_text
from wheelgate.server import Server
from wheelgate.values import EMPTY_MAPPING, Event, Principal, RequestInfo

MAX_QUEUED_EVENTS = 10_000
"""Events of one worker that may wait for the listeners; further ones are dropped."""
UNLOGGED_EVENTS = frozenset({"LoginFailed", "TokenUsed"})
"""A failed login has a line of its own already; the use of a token is no change."""
MAX_DETAIL_CHARS = 300
"""Characters of the details of an event in the log."""
CLOSE_SECONDS = 5.0
"""Seconds that a stopping server waits for listeners to handle the queued events."""

log = logging.getLogger("wheelgate.events")


class Events:
    """One thread per worker that passes events to the listeners, in the order of the events."""

    def __init__(self, server: Server, listeners: Sequence[Implementation]) -> None:
        self._server = server
        self._listeners = list(listeners)
        self._queue: queue.Queue[Event | None] = queue.Queue(MAX_QUEUED_EVENTS)
        self._thread: threading.Thread | None = None

    def add(self, listeners: Sequence[Implementation]) -> None:
        """Add listeners, before the first event."""
        self._listeners += listeners

    def announce(
        self,
        name: str,
        principal: Principal,
        info: RequestInfo,
        subject: str,
        detail: Mapping[str, Any] = EMPTY_MAPPING,
    ) -> None:
        """Log an event that has just happened, and queue it if any plugin listens to it. Never waits.

        If the listeners are ten thousand events behind, the event is logged and dropped.
        """
        if name not in UNLOGGED_EVENTS:
            who = f"'{principal.name}'" if principal.name is not None else "anonymous"
            log.info("%s %s by %s from %s%s", name, subject, who, info.remote_address, shown_detail(detail))
        if not any(listener.is_about(name) for listener in self._listeners):
            return
        time = datetime.now(UTC)
        event = Event(name, principal.name, subject, info.remote_address, info.request_id, time, detail)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="events", daemon=True)
            self._thread.start()
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            log.error("event %s of '%s' dropped: the listeners are too slow", name, subject)

    def wait(self) -> None:
        """Wait until the listeners have handled all events that were announced before."""
        self._queue.join()

    def close(self) -> None:
        """Let the listeners handle the queued events, for at most five seconds."""
        if self._thread is not None:
            with contextlib.suppress(queue.Full):  # a listener that hangs must not keep the server from ending
                self._queue.put(None, timeout=CLOSE_SECONDS)
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while (event := self._queue.get()) is not None:
            REQUEST_ID.set(event.request_id)
            for listener in self._listeners:
                if not listener.is_about(event.name):
                    continue
                try:
                    listener(server=self._server, event=event)
                except Exception as error:  # noqa: BLE001 - third-party code must not end the thread
                    log.error("plugin '%s' failed on %s: %s", listener.plugin, event.name, failure_text(error))
            self._queue.task_done()


def shown_detail(detail: Mapping[str, Any]) -> str:
    """Return the details of an event for its line in the log."""
    text = " ".join(f"{key}={value}" for key, value in detail.items() if value not in (None, ""))
    return f": {text[:MAX_DETAIL_CHARS]}" if text else ""
