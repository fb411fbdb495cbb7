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
from wheelgate_mirror.backoff import DEFAULT_BACKOFF_SECONDS, Backoff, limited
from wheelgate_mirror.moments import parse_http_date, utc_text
from wheelgate_mirror.upstream_urls import UpstreamIndex

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
SLOW_FAILURE_SECONDS = 3.0
"""A failure that took longer counts as one that a client had to wait for: a name server may not answer either."""


class HostFailureError(BadUpstream):
    """Raised when a whole host failed, so that no single page needs a pause.

    A host that refuses or closes connections costs no time, and may be back at any moment: it gets no pause.
    """


class UpstreamResponse:
    """A response whose body is still to be read."""

    def __init__(self, response: requests.Response, outgoing: Outgoing, deadline: float) -> None:
        self._response = response
        self._outgoing = outgoing
        self._deadline = deadline
        self._begun = time.time()
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
            raise _refusal(self._outgoing, error, self.url) from error

    def body(self, limit: int) -> bytearray:
        """Return the whole body; see :meth:`chunks`."""
        body = bytearray()
        for chunk in self.chunks(limit):
            body += chunk
        return body

    @property
    def pause_seconds(self) -> float:
        """How long a busy host asks to be left alone, within limits (``Retry-After``; RFC 9110, section 10.2.3)."""
        text = self.headers.get("Retry-After", "").strip()
        if text.isdecimal():
            return limited(float(text))
        moment, now = parse_http_date(text), parse_http_date(self.headers.get("Date", ""))
        if moment is None:
            return DEFAULT_BACKOFF_SECONDS
        return limited(moment - (self._begun if now is None else now))  # the host means its own clock

    def refusal(self, what: str) -> Refusal:
        """Return the error for this response, which does not contain ``what``."""
        if self.status in ABSENT_STATUSES:
            return NotFound(f"'{self.host}' does not have {what}")
        if self.status in BUSY_STATUSES:
            until = utc_text(self._begun + self.pause_seconds)
            return HostFailureError(
                f"'{self.host}' is busy (status {self.status}), so this server asks it for nothing until {until}"
            )
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
            HostFailureError: the connection was refused or closed.
            UpstreamTimeout: the response does not begin in time.
            Forbidden: the server may not connect to the host.
        """
        if failure := self._backoff.failure(upstream.host_key(url)):
            raise failure[1]
        deadline = time.monotonic() + seconds
        try:
            raw = self._send(upstream, url, headers)
        except HostFailureError:
            # The other side may have closed an idle connection of the pool in this very moment.
            raw = self._send(upstream, url, headers)
        with raw:
            response = UpstreamResponse(raw, self._outgoing, deadline)
            if response.status in BUSY_STATUSES:
                self._backoff.add(upstream.host_key(url), response.refusal(""), response.pause_seconds)
            yield response

    def _send(self, upstream: UpstreamIndex, url: str, headers: Mapping[str, str]) -> requests.Response:
        """Send a request, with the login if it is for that host.

        After a timeout, or any failure that took long, the host gets a pause.
        """
        timeout = (min(UPSTREAM_CONNECT_TIMEOUT_SECONDS, self._timeout), self._timeout)
        begun = time.monotonic()
        try:
            return self._session.get(
                url, headers={**headers, **upstream.headers_for(url)}, stream=True, timeout=timeout
            )
        except Exception as error:
            refusal = _refusal(self._outgoing, error, url)
            slow = time.monotonic() - begun > SLOW_FAILURE_SECONDS
            if isinstance(refusal, UpstreamTimeout) or (slow and isinstance(refusal, BadUpstream)):
                self._backoff.add(upstream.host_key(url), refusal)
            raise refusal from error


def _refusal(outgoing: Outgoing, error: Exception, url: str) -> Refusal:
    """Return the refusal for an error of a request to ``url``; it tells failures of the connection from others."""
    import requests
    from urllib3.exceptions import ProtocolError

    refusal = outgoing.refusal(error, url)
    lost = isinstance(error, requests.ConnectionError | ProtocolError) and isinstance(refusal, BadUpstream)
    return HostFailureError(refusal.message) if lost else refusal
