"""From Falcon's request to the values that the domain knows: who sent it, by which address, with which body."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import falcon.asgi

from wheelgate.errors import BadInput, TooLarge
from wheelgate.values import RequestInfo

LARGEST_BODY = 1_000_000
"""Bytes of a JSON body."""
DRAINED = 64 << 20
"""Bytes of a refused body that are read and dropped."""
DRAINED_FOR = 10.0
"""Seconds."""
DRAINED_AT_ONCE = 1 << 18
GONE = "wheelgate.gone"
"""In the scope of a request: a function that says whether the client has gone, where the worker can tell."""
SENDFILE = "wheelgate.sendfile"
"""In the scope of a request: a function that makes a
:class:`~wheelgate.files.sendfile.FileSender`, where the worker can."""
HEAD = "wheelgate.head"
"""In the scope of a request: a function that takes ready lines for the head of the answer, where the worker can."""
PRIVATE = "wheelgate.private"
"""In the scope of a request whose answer is not for everybody."""
DEEPEST = 32
LARGEST_NUMBER = 2**63

HOST = re.compile(r"[A-Za-z0-9._-]{1,255}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
OUTSIDE = re.compile(r"https?://(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?")

T = TypeVar("T")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Headers(Mapping[str, str]):
    """The headers of a request by their lower-case names, decoded when they are asked for."""

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


@lru_cache(1000)
def address(scheme: str, host: str) -> str:
    """Put together the address of a server, which most clients write alike."""
    if not HOST.fullmatch(host):
        raise BadInput("the header 'Host' is not a host name with an optional port")
    return f"{scheme}://{host}"


class IncomingRequest:
    """A request on its way in; what is costly is made when it is first asked for."""

    __slots__ = ("_info", "_outside", "_req", "header")

    def __init__(self, req: falcon.asgi.Request, outside: Outside) -> None:
        self._req = req
        self._outside = outside
        self._info: RequestInfo | None = None
        self.header: Callable[[str], str | None] = req.get_header

    @property
    def info(self) -> RequestInfo:
        """The value that plugins see."""
        if self._info is None:
            req = self._req
            client = self._outside.client_of(req)
            self._info = RequestInfo(
                req.method, req.scope["path"], Headers(req), client, secrets.token_hex(6), req.remote_addr
            )
        return self._info

    def keep_private(self) -> None:
        """Let no shared cache keep the answer (RFC 9111, section 5.2.2.7)."""
        self._req.scope[PRIVATE] = True


class Outside:
    """How the server looks from where the client is: address of the client, address of the server."""

    def __init__(self, trusted: Sequence[Network], outside_url: str | None) -> None:
        """Take the proxies whose headers are believed, and the address that the configuration names."""
        self._trusted = trusted
        self._outside_url = outside_url

    def client_of(self, req: falcon.asgi.Request) -> str:
        """Return the client's address; the one that trusted proxies report, where there are any."""
        address = req.remote_addr
        if self._trusted and self._trusts(address):
            return self._behind_proxies(address, req.get_header("x-forwarded-for", default=""))
        return address

    def url(self, req: falcon.asgi.Request) -> str:
        """Return the server's address without a trailing slash, as the client must write it.

        Raises:
            BadInput: the Host header, or what a trusted proxy says in its place, is no address.
        """
        if self._outside_url is not None:
            return self._outside_url
        scheme = req.scope.get("scheme", "http")
        host = req.get_header("host", default="")
        if self._trusted and self._trusts(req.remote_addr):
            outside = req.get_header("x-outside-url", default="").rstrip("/")
            if outside:
                if not OUTSIDE.fullmatch(outside):
                    raise BadInput("the header 'X-Outside-Url' is not an http or https address")
                return outside
            if req.get_header("x-forwarded-proto") in ("http", "https"):
                scheme = req.get_header("x-forwarded-proto")
            host = req.get_header("x-forwarded-host", default=host)
        return address(scheme, host)

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)

    def _behind_proxies(self, address: str, forwarded: str) -> str:
        """Walk back through the proxies that are trusted; the first other address is the client's."""
        for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            try:
                address = str(ipaddress.ip_address(hop))
            except ValueError:
                break
            if not self._trusts(address):
                break
        return address


async def drain(req: falcon.asgi.Request) -> None:
    """Read what is left of the body, within limits: most clients read an answer only once they have sent it all."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAINED_FOR):
            left = DRAINED
            while left > 0 and (piece := await req.stream.read(min(left, DRAINED_AT_ONCE))):
                left -= len(piece)


async def read_body(req: falcon.asgi.Request, largest: int = LARGEST_BODY) -> bytes:
    """Read the body.

    Raises:
        TooLarge: it has more than ``largest`` bytes; the rest is not read.
    """
    length = req.content_length
    if length is not None and length > largest:
        raise TooLarge(f"the body has {length} bytes; at most {largest} are taken here")
    data = await req.stream.read(largest + 1)
    if len(data) > largest:
        raise TooLarge(f"the body has more than {largest} bytes, which is all that is taken here")
    return data


async def read_json(req: falcon.asgi.Request) -> Any:
    """Read and check the JSON body, whatever the Content-Type says.

    Raises:
        TooLarge: it has more than ``LARGEST_BODY`` bytes.
        BadInput: it is no JSON (RFC 8259), or uses what two readers could understand differently: duplicate keys,
            numbers outside 64 bits, NUL, lone surrogates, or nesting deeper than 32.
    """
    return decode_json(await read_body(req))


async def held(reading: Awaitable[T]) -> T | BadInput:
    """Wait for a body to be read and hold back what is wrong with it: first comes whether the caller may ask at all."""
    try:
        return await reading
    except BadInput as wrong:
        return wrong


def decode_json(data: bytes) -> Any:
    """Decode a JSON document as :func:`read_json` does."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise BadInput("Bad request: could not decode json: the body is not UTF-8") from None
    except RecursionError:
        raise BadInput(f"the body is nested deeper than {DEEPEST} levels") from None
    except ValueError:
        raise BadInput("Bad request: could not decode json") from None
    _check(value, "the body", 0)
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadInput(f"the key {ascii(twice)[:80]} stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise BadInput(f"{name} is not a JSON number")


def _check(value: Any, where: str, depth: int) -> None:
    if depth > DEEPEST:
        raise BadInput(f"the body is nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise BadInput(f"{where} holds a character that no text can have (NUL or half of a surrogate pair)")
    elif isinstance(value, dict):
        for key, entry in value.items():
            _check(key, f"a key of {where}", depth)
            _check(entry, f"'{key[:80]}'", depth + 1)
    elif isinstance(value, list):
        for entry in value:
            _check(entry, f"an entry of {where}", depth + 1)
    elif isinstance(value, int | float) and not -LARGEST_NUMBER <= value < LARGEST_NUMBER:
        raise BadInput(f"{where} holds a number outside the range of 64 bits")
