"""Tells the plugins what happened, after the commit and beside the request."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from wheelgate.plugin_host.discovery import Implementation
from wheelgate.server import Server
from wheelgate.values import NOTHING, Event, Principal, RequestInfo

WAITING = 10_000

log = logging.getLogger("wheelgate.events")


def event(
    name: str, principal: Principal, info: RequestInfo, subject: str, detail: Mapping[str, Any] = NOTHING
) -> Event:
    """Make the value for something that has just happened."""
    return Event(name, principal.name, subject, info.remote_address, info.request_id, datetime.now(UTC), detail)


class Events:
    """One thread per worker that hands events to the listeners in their order."""

    def __init__(self, server: Server, listeners: Sequence[Implementation]) -> None:
        self._server = server
        self._listeners = listeners
        self._queue: queue.Queue[Event | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None

    def tell(self, happened: Event) -> None:
        """Queue an event; never waits. If the listeners are ten thousand behind, the event is logged and dropped."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="events", daemon=True)
            self._thread.start()
        try:
            self._queue.put_nowait(happened)
        except queue.Full:
            log.error("event %s of '%s' dropped: the listeners are too slow", happened.name, happened.subject)

    def heard(self, name: str) -> bool:
        """Say whether anybody listens to an event."""
        return any(listener.is_about(name) for listener in self._listeners)

    def announce(
        self, name: str, principal: Principal, info: RequestInfo, subject: str, detail: Mapping[str, Any] = NOTHING
    ) -> None:
        """Queue an event, if anybody listens."""
        if self.heard(name):
            self.tell(event(name, principal, info, subject, detail))

    def close(self, timeout: float = 5.0) -> None:
        """Let the listeners finish what waits, for at most ``timeout`` seconds."""
        if self._thread is not None:
            with contextlib.suppress(queue.Full):  # a listener that hangs must not keep the server from ending
                self._queue.put(None, timeout=timeout)
            self._thread.join(timeout)

    def _work(self) -> None:
        while (happened := self._queue.get()) is not None:
            for listener in self._listeners:
                if not listener.is_about(happened.name):
                    continue
                try:
                    listener(server=self._server, event=happened)
                except Exception as error:  # noqa: BLE001 - a stranger's code: whatever it raises stays here
                    log.error("plugin '%s' failed on %s: %s", listener.plugin, happened.name, type(error).__name__)
