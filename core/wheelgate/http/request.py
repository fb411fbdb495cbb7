"""A Falcon request as the domain sees it, and its body within limits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import falcon
import falcon.asgi

from wheelgate.errors import TooLarge
from wheelgate.http.proxy_headers import ProxyHeaders
from wheelgate.http.scope import PRIVATE_RESPONSE, REQUEST_ID, SHOW_SERIAL, USER
from wheelgate.values import RequestInfo

MAX_DRAINED_BYTES = 64 << 20
"""Bytes of a refused body that the server reads and drops."""
MAX_DRAIN_SECONDS = 10.0
DRAIN_READ_BYTES = 1 << 18
"""Bytes of one read."""


class Headers(Mapping[str, str]):
    """The headers of a request by lower-case name, decoded on access."""

    __slots__ = ("_req",)

    def __init__(self, req: falcon.asgi.Request) -> None:
        self._req = req

    def __getitem__(self, name: str) -> str:
        value = self._req.get_header(name)
        if value is None:
            raise KeyError(name)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """Return a header, or the default."""
        return self._req.get_header(name, default=default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._req.headers_lower)

    def __len__(self) -> int:
        return len(self._req.headers_lower)


class IncomingRequest:
    """A request for the code that identifies its sender; it makes costly parts on first use."""

    __slots__ = ("_info", "_proxy_headers", "_req", "header")

    def __init__(self, req: falcon.asgi.Request, proxy_headers: ProxyHeaders) -> None:
        self._req = req
        self._proxy_headers = proxy_headers
        self._info: RequestInfo | None = None
        self.header: Callable[[str], str | None] = req.get_header

    @property
    def info(self) -> RequestInfo:
        """The request as plugins see it."""
        if self._info is None:
            req = self._req
            client = self._proxy_headers.client_address(req)
            self._info = RequestInfo(
                req.method, req.scope["path"], Headers(req), client, req.scope[REQUEST_ID], req.remote_addr
            )
        return self._info

    def show_serial(self) -> None:
        """Let the response show the change serial, which also tells of changes to private indices."""
        self._req.scope[SHOW_SERIAL] = True

    def note_user(self, name: str) -> None:
        """Let the access log name the sender."""
        self._req.scope[USER] = name

    def keep_private(self) -> None:
        """Forbid shared caches to store the response (RFC 9111, section 5.2.2.7)."""
        self._req.scope[PRIVATE_RESPONSE] = True


async def drain(req: falcon.asgi.Request) -> None:
    """Read and drop the rest of the body, within limits: most clients read no response before they have sent it all.

    Nothing is read of a body whose announced length is beyond the limit.
    """
    with contextlib.suppress(TimeoutError, falcon.HTTPError):  # the length is malformed, or the rest does not come
        if (req.content_length or 0) > MAX_DRAINED_BYTES:
            return
        async with asyncio.timeout(MAX_DRAIN_SECONDS):
            left = MAX_DRAINED_BYTES
            while left > 0 and (chunk := await req.stream.read(min(left, DRAIN_READ_BYTES))):
                left -= len(chunk)


async def read_body(req: falcon.asgi.Request, max_bytes: int) -> bytes:
    """Return the body.

    Raises:
        TooLarge: it has more than ``max_bytes`` bytes; the rest is not read.
    """
    length = req.content_length
    if length is not None and length > max_bytes:
        raise TooLarge(f"the body has {length} bytes; this address takes at most {max_bytes}")
    data = await req.stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise TooLarge(f"the body has more than {max_bytes} bytes, the most that this address takes")
    return data
