"""Limits the head of an answer: the status line, the headers, and interim answers before them.

The timeout of a connection applies to each read. A server that sends one byte at a time, or ``100 Continue`` again and
again, would hold a thread for as long as it likes.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

MAX_HEAD_SECONDS = 30.0
"""How long the head of an answer may take after its first byte; the time before that byte is the caller's to limit."""
MAX_HEAD_BYTES = 1 << 20
"""The largest head, with all interim answers."""


class LimitedRead(io.RawIOBase):
    """Reads from a connection, with limits as long as the head is being read."""

    def __init__(self, connection: io.RawIOBase) -> None:
        self._connection = connection
        self._deadline = 0.0
        self._left = MAX_HEAD_BYTES
        self.in_head = True

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what has arrived.

        Raises:
            TimeoutError: the head takes too long.
            http.client.HTTPException: it is too large.
        """
        count = self._connection.readinto(buffer)
        if self.in_head:
            now = time.monotonic()
            self._deadline = self._deadline or now + MAX_HEAD_SECONDS
            self._left -= count or 0
            if now > self._deadline:
                raise TimeoutError("the head of the answer takes too long")
            if self._left < 0:
                raise http.client.HTTPException("the head of the answer is too large")
        return count

    def close(self) -> None:
        """Close the connection too."""
        self._connection.close()
        super().close()


class LimitedResponse(http.client.HTTPResponse):
    """A response whose head has limits."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._limited = LimitedRead(self.fp.detach())
        self.fp = io.BufferedReader(self._limited)

    def begin(self) -> None:
        """Read the head."""
        super().begin()
        self._limited.in_head = False
