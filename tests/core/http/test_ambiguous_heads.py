"""Heads that a proxy in front could read in another way: refused with every parser that gunicorn may find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gunicorn_h1c
import pytest
from gunicorn.asgi.parser import ParseError, PythonProtocol

from wheelgate.process.worker import refuse_ambiguous

REQUEST = b"GET / HTTP/1.1\r\n"
PARSERS = [PythonProtocol, gunicorn_h1c.H1CProtocol]
HOST = (b"Host", b"localhost")


@dataclass(frozen=True, slots=True)
class Head:
    """What a parser made of the head of a request."""

    headers: list[tuple[bytes, bytes]]
    http_version: tuple[int, int] = (1, 1)


def read(parser_class: Any, sent: bytes) -> None:
    """Have a parser read a head, and look at it as the worker does."""
    parser: Any = parser_class(on_headers_complete=lambda: refuse_ambiguous(parser))
    parser.feed(sent)


@pytest.mark.parametrize("parser_class", PARSERS)
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(REQUEST + b"Accept: */*\r\n\r\n", id="no host"),
        pytest.param(REQUEST + b"Date: today\r\n\r\n", id="another header of four letters"),
        pytest.param(REQUEST + b"Host: a\r\nContent-Length: %d\r\n\r\n" % (2**64 + 5), id="a length above 2**64"),
        pytest.param(REQUEST + b"Host: a\r\nAccept: a\r\n Content-Length: 5\r\n\r\n", id="a folded header"),
    ],
)
def test_an_ambiguous_head_is_refused(parser_class: Any, sent: bytes) -> None:
    """Either parser refuses it, or the worker does."""
    with pytest.raises((ParseError, gunicorn_h1c.ParseError)):
        read(parser_class, sent)


@pytest.mark.parametrize("parser_class", PARSERS)
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(REQUEST + b"hOST: a\r\nContent-Length: 5\r\n\r\n", id="HTTP 1.1"),
        pytest.param(REQUEST + b"Host: a\r\nContent-Length: 000000000000000005\r\n\r\n", id="18 digits"),
        pytest.param(REQUEST + b"Host: a\r\nAccept-Charset: utf-8, iso-8859-1;q=0.5\r\n\r\n", id="as long as a length"),
        pytest.param(b"GET / HTTP/1.0\r\nAccept: */*\r\n\r\n", id="HTTP 1.0 without a host"),
    ],
)
def test_a_plain_head_is_taken(parser_class: Any, sent: bytes) -> None:
    """Nothing is refused that has one meaning only."""
    read(parser_class, sent)


# gunicorn takes whatever version of gunicorn_h1c it finds. Versions 0.6.8 and 0.6.9 read these lines as shown here;
# later versions, and the parser in Python, refuse a folded line themselves.
LET_THROUGH = {
    r"Accept: a\r\n Content-Length: 5": [HOST, (b"Accept", b"a"), (b"", b" Content-Length: 5")],
    r"Accept: a\r\n\tb": [HOST, (b"Accept", b"a"), (b"", b"\tb")],
    r"Accept: a\r\n ": [HOST, (b"Accept", b"a"), (b"", b"")],
    "Content-Length: 2**64 + 5": [HOST, (b"Content-Length", b"%d" % (2**64 + 5))],
}


@pytest.mark.parametrize("headers", LET_THROUGH.values(), ids=LET_THROUGH)
def test_what_older_parsers_let_through_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    """The worker refuses folded lines and lengths out of range, whichever parser is installed."""
    with pytest.raises(ParseError):
        refuse_ambiguous(Head(headers))
