"""Requests to upstreams, with limits in time and size, and a rest for hosts that do not answer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wheelgate.errors import BadUpstream, NotFound, Refusal, UpstreamTimeout
from wheelgate.outgoing import Outgoing
from wheelgate_mirror.backoff import BACKOFF_SECONDS, Backoff
from wheelgate_mirror.upstream_urls import Place, origin

if TYPE_CHECKING:
    import requests

CONNECT = 5.0
"""Seconds until a connection must stand."""
PIECE = 1 << 18
"""Bytes that are read at most at once."""
GONE = frozenset({404, 410})
BUSY = frozenset({429, 503})
"""Statuses that are about the whole host."""


class Answer:
    """What an upstream says, of which the body is still to be read."""

    def __init__(self, response: requests.Response, outgoing: Outgoing, deadline: float) -> None:
        self._response = response
        self._outgoing = outgoing
        self._deadline = deadline
        self.status = response.status_code
        self.url = response.url
        """The address after redirects."""
        self.host = urlsplit(response.url).hostname or ""
        self.headers: Mapping[str, str] = response.headers
        kind, *parameters = response.headers.get("Content-Type", "").split(";")
        self.kind = kind.strip().lower()
        """Its media type."""
        named = (parameter.strip().partition("=") for parameter in parameters)
        self.charset = next((value.strip("\"' ") for name, _, value in named if name.lower() == "charset"), None)

    def chunks(self, limit: int, *, decode: bool = True) -> Iterator[bytes]:
        """Yield the body as it comes.

        Args:
            limit: bytes that it may have.
            decode: whether to undo a ``Content-Encoding``.

        Raises:
            BadUpstream: it is longer, is cut off, or cannot be decoded.
            UpstreamTimeout: it takes too long.
        """
        taken = 0
        while chunk := self._piece(decode):
            taken += len(chunk)
            if taken > limit:
                raise BadUpstream(f"'{self.host}' sends more than the {limit} bytes that were expected")
            if time.monotonic() > self._deadline:
                raise UpstreamTimeout(f"'{self.host}' takes too long to send its answer; try again later")
            yield chunk

    def _piece(self, decode: bool) -> bytes:
        """Return what has come; read() would wait for a certain amount however slowly it drips."""
        try:
            return self._response.raw.read1(PIECE, decode_content=decode)
        except Exception as error:
            raise self._outgoing.refusal(error, self.url) from error

    def body(self, limit: int) -> bytearray:
        """Return the whole body; see :meth:`chunks`."""
        body = bytearray()
        for chunk in self.chunks(limit):
            body += chunk
        return body

    def refusal(self, what: str) -> Refusal:
        """Say that this answer is of no use to whoever asked for ``what``."""
        if self.status in GONE:
            return NotFound(f"'{self.host}' does not have {what}")
        if self.status in (401, 403):
            why = "wants another login than the one in mirror_url, or does not give it out"
            return BadUpstream(f"'{self.host}' refuses {what} with status {self.status}: it {why}")
        return BadUpstream(f"'{self.host}' answers with status {self.status} when asked for {what}; try again later")


class Upstreams:
    """Asks upstreams. Shared by all threads of a worker."""

    def __init__(self, outgoing: Outgoing, backoff: Backoff, silence: float) -> None:
        """Take what sends requests, what remembers failures, and the seconds that an upstream may say nothing."""
        self._outgoing = outgoing
        self._backoff = backoff
        self._silence = silence

    @cached_property
    def _session(self) -> requests.Session:
        return self._outgoing.session()

    @contextmanager
    def ask(self, place: Place, url: str, headers: Mapping[str, str], *, seconds: float) -> Iterator[Answer]:
        """Send a GET request; credentials go along if they are meant for that host.

        Args:
            place: the upstream on whose behalf it is.
            url: what to ask for.
            headers: further headers.
            seconds: how long the whole answer may take.

        Raises:
            BadUpstream: the host is not reached, or asks to be left alone; until when is remembered.
            UpstreamTimeout: it does not begin to answer in time.
            Forbidden: the server may not go there.
        """
        if failed := self._backoff.problem(origin(url)):
            raise failed[1]
        deadline = time.monotonic() + seconds
        try:
            response = self._send(url, {**headers, **place.headers_for(url)})
        except BadUpstream:
            # A connection that was kept open is often closed by the other side in this very moment.
            response = self._send(url, {**headers, **place.headers_for(url)}, last=True)
        with response:
            answer = Answer(response, self._outgoing, deadline)
            if answer.status in BUSY:
                told = answer.headers.get("Retry-After", "")
                self._backoff.note(
                    origin(url), answer.refusal("anything"), float(told) if told.isdecimal() else BACKOFF_SECONDS
                )
            yield answer

    def _send(self, url: str, headers: dict[str, str], *, last: bool = False) -> requests.Response:
        """Send a request; if it fails for good, have the host left alone."""
        timeout = (min(CONNECT, self._silence), self._silence)
        try:
            return self._session.get(url, headers=headers, stream=True, timeout=timeout)
        except Exception as error:
            refusal = self._outgoing.refusal(error, url)
            if isinstance(refusal, UpstreamTimeout) or (last and isinstance(refusal, BadUpstream)):
                self._backoff.note(origin(url), refusal)
            raise refusal from error
