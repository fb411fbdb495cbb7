"""Counts requests: by address template, method and status, and how long they take; wraps the application."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from wheelgate.http.answers import ASGIApplication, Receive, Send
from wheelgate.http.router import METHODS
from wheelgate.http.scope import ROUTE_TEMPLATE, STATUS, UPLOAD_BODY_BYTES
from wheelgate.metrics.catalogue import (
    DOWNLOADS,
    IN_FLIGHT,
    PROVIDER_STATE,
    REQUEST_SECONDS,
    REQUESTS,
    SECONDS_BUCKETS,
    UPLOAD_BYTES,
    UPLOADS,
)
from wheelgate.metrics.counting import Numbers, histogram_keys, series_key
from wheelgate.plugin_host.circuit import CircuitBreaker

UNKNOWN_ROUTE = "unknown"
"""The label of addresses that do not exist."""
NO_ANSWER = "none"
"""The label of the status if the client went away before the answer."""
OTHER_METHOD = "other"
STATE_SECONDS = 5.0
"""Seconds between two looks at the states of the providers."""
UPLOAD_ROUTE = "/{user}/{index}"
PACKAGE_ROUTES = frozenset(
    {UPLOAD_ROUTE, "/{user}/{index}/+f/{first}/{second}/{name}", "/{user}/{index}/+e/{folder}/{name}"}
)
"""The addresses of uploads and of files."""
FILE_KINDS = {".metadata": "metadata", ".provenance": "provenance"}


@dataclass(frozen=True, slots=True)
class Series:
    """Where the requests of one method, address template and status are counted."""

    count: int
    buckets: Sequence[int]
    seconds: int


class MeasuredRequests:
    """Measures each request from its head to the end of its answer.

    Only the event loop of the worker counts here, so there is no lock.
    """

    def __init__(self, app: ASGIApplication, numbers: Numbers, breakers: Sequence[CircuitBreaker]) -> None:
        """Take the application, the numbers of this worker, and the circuit breakers whose state is shown."""
        self._app = app
        self._numbers = numbers
        self._breakers = breakers
        self._next_look = 0.0
        """When to look at the states again, on the clock of ``time.perf_counter``."""
        self._values = numbers.memory.values
        self._in_flight = numbers.memory.position(IN_FLIGHT.name)
        self._values[self._in_flight] = 0.0  # a worker that had this memory before may have been killed
        self._series: dict[tuple[str, str | None, int | None], Series] = {}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request, or a message of the ASGI server about its own life."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        values, in_flight = self._values, self._in_flight
        values[in_flight] += 1.0
        try:
            await self._app(scope, receive, send)
        finally:
            values[in_flight] -= 1.0
            ended = perf_counter()
            key = (scope["method"], scope.get(ROUTE_TEMPLATE), scope.get(STATUS))
            series = self._series.get(key) or self._make_series(*key)
            values[series.count] += 1.0
            values[series.buckets[bisect_left(SECONDS_BUCKETS, ended - began)]] += 1.0
            values[series.seconds] += ended - began
            if key[1] in PACKAGE_ROUTES:
                self._count_packages(scope, *key)
            if ended > self._next_look:
                self._next_look = ended + STATE_SECONDS
                self._show_states()

    def _show_states(self) -> None:
        left_out = {breaker.name for breaker in self._breakers if breaker.state == "open"}
        for name in {breaker.name for breaker in self._breakers}:
            self._numbers.set(PROVIDER_STATE, float(name in left_out), provider=name)

    def _make_series(self, method: str, route: str | None, status: int | None) -> Series:
        """Return the places of the numbers, and keep them unless clients choose one of the labels."""
        known, shown = method in METHODS, route or UNKNOWN_ROUTE
        labels = {"method": method if known else OTHER_METHOD, "route": shown, "status": str(status or NO_ANSWER)}
        position = self._numbers.memory.position
        *buckets, seconds = map(position, histogram_keys(REQUEST_SECONDS, route=shown))
        series = Series(position(series_key(REQUESTS.name, **labels)), buckets, seconds)
        if known:
            self._series[method, route, status] = series
        return series

    def _count_packages(self, scope: dict[str, Any], method: str, route: str | None, status: int | None) -> None:
        answered = status if status is not None else 499
        if method == "GET" and route != UPLOAD_ROUTE and answered in (200, 206):
            ending = scope["path"][scope["path"].rfind(".") :]
            self._numbers.add(DOWNLOADS, kind=FILE_KINDS.get(ending, "file"))
        elif method in ("POST", "PUSH") and route == UPLOAD_ROUTE:
            result = "accepted" if answered < 300 else "refused" if answered < 500 else "failed"
            self._numbers.add(UPLOADS, result=result)
            if result == "accepted":
                self._numbers.add(UPLOAD_BYTES, float(scope.get(UPLOAD_BODY_BYTES) or 0))
