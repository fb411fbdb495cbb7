"""Requests to upstreams, with limits in time and size, and pauses for hosts that fail."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wheelgate.errors import BadUpstream, NotFound, Refusal, UpstreamTimeout
from wheelgate.outgoing import Outgoing
from wheelgate_mirror.backoff import DEFAULT_BACKOFF_SECONDS, Backoff
from wheelgate_mirror.upstream_urls import UpstreamIndex, origin

if TYPE_CHECKING:
    import requests

UPSTREAM_CONNECT_TIMEOUT_SECONDS = 5.0
"""How long a connection may take to open."""
RESPONSE_CHUNK_BYTES = 1 << 18
"""The most that one read takes from a connection."""
ABSENT_STATUSES = frozenset({404, 410})
"""Statuses that say that there is nothing at the URL."""
BUSY_STATUSES = frozenset({429, 503})
"""Statuses that are about the whole host, not about one URL."""


class UpstreamResponse:
    """A response whose body is still to be read."""

    def __init__(self, response: requests.Response, outgoing: Outgoing, deadline: float) -> None:
        self._response = response
        self._outgoing = outgoing
        self._deadline = deadline
        self.status = response.status_code
        self.url = response.url
        """The URL after redirects."""
        self.host = urlsplit(response.url).hostname or ""
        self.headers: Mapping[str, str] = response.headers
        media_type, *parameters = response.headers.get("Content-Type", "").split(";")
        self.media_type = media_type.strip().lower()
        named = (parameter.strip().partition("=") for parameter in parameters)
        self.charset = next((value.strip("\"' ") for name, _, value in named if name.lower() == "charset"), None)

    def chunks(self, limit: int, *, decode: bool = True) -> Iterator[bytes]:
        """Yield the body as it arrives.

        Args:
            limit: the most bytes that it may have.
            decode: whether to undo a ``Content-Encoding``.

        Raises:
            BadUpstream: the body is longer than that, incomplete, or cannot be decoded.
            UpstreamTimeout: the response takes too long.
        """
        received = 0
        while chunk := self._read_chunk(decode):
            received += len(chunk)
            if received > limit:
                raise BadUpstream(f"'{self.host}' sends more than the expected {limit} bytes")
            if time.monotonic() > self._deadline:
                raise UpstreamTimeout(f"'{self.host}' takes too long to send its answer; try again later")
            yield chunk

    def _read_chunk(self, decode: bool) -> bytes:
        """Return the bytes that have arrived; read() would wait for a full chunk, however slowly it arrives."""
        try:
            return self._response.raw.read1(RESPONSE_CHUNK_BYTES, decode_content=decode)
        except Exception as error:
            raise self._outgoing.refusal(error, self.url) from error

    def body(self, limit: int) -> bytearray:
        """Return the whole body; see :meth:`chunks`."""
        body = bytearray()
        for chunk in self.chunks(limit):
            body += chunk
        return body

    def refusal(self, what: str) -> Refusal:
        """Return the error for this response, which does not contain ``what``."""
        if self.status in ABSENT_STATUSES:
            return NotFound(f"'{self.host}' does not have {what}")
        if self.status in (401, 403):
            why = "it requires another login than the one in mirror_url, or does not give it to anyone"
            return BadUpstream(f"'{self.host}' refuses {what} with status {self.status}: {why}")
        return BadUpstream(f"'{self.host}' answers with status {self.status} when asked for {what}; try again later")


class UpstreamClient:
    """Sends requests to upstreams. All threads of a worker share it."""

    def __init__(self, outgoing: Outgoing, backoff: Backoff, timeout: float) -> None:
        """Make a client that waits at most ``timeout`` seconds for an upstream that sends nothing."""
        self._outgoing = outgoing
        self._backoff = backoff
        self._timeout = timeout

    @cached_property
    def _session(self) -> requests.Session:
        return self._outgoing.session()

    @contextmanager
    def get(
        self, upstream: UpstreamIndex, url: str, headers: Mapping[str, str], *, seconds: float
    ) -> Iterator[UpstreamResponse]:
        """Send a GET request, with the credentials of the upstream if ``url`` is on its host.

        Args:
            upstream: the upstream that refers to ``url``.
            url: may be on another host.
            headers: further headers.
            seconds: how long the whole response may take.

        Raises:
            BadUpstream: the host cannot be reached, or has a pause after a failure.
            UpstreamTimeout: the response does not begin in time.
            Forbidden: the server may not connect to the host.
        """
        if failure := self._backoff.failure(origin(url)):
            raise failure[1]
        deadline = time.monotonic() + seconds
        try:
            raw = self._send(url, {**headers, **upstream.headers_for(url)})
        except BadUpstream:
            # The other side may have closed an idle connection of the pool in this very moment.
            raw = self._send(url, {**headers, **upstream.headers_for(url)}, last=True)
        with raw:
            response = UpstreamResponse(raw, self._outgoing, deadline)
            if response.status in BUSY_STATUSES:
                after = response.headers.get("Retry-After", "")
                pause = float(after) if after.isdecimal() else DEFAULT_BACKOFF_SECONDS
                self._backoff.add(origin(url), response.refusal("anything"), pause)
            yield response

    def _send(self, url: str, headers: dict[str, str], *, last: bool = False) -> requests.Response:
        """Send a request. After a timeout, or a failure of the ``last`` attempt, the host gets a pause."""
        timeout = (min(UPSTREAM_CONNECT_TIMEOUT_SECONDS, self._timeout), self._timeout)
        try:
            return self._session.get(url, headers=headers, stream=True, timeout=timeout)
        except Exception as error:
            refusal = self._outgoing.refusal(error, url)
            if isinstance(refusal, UpstreamTimeout) or (last and isinstance(refusal, BadUpstream)):
                self._backoff.add(origin(url), refusal)
            raise refusal from error
