"""Heads of answers that never end: the server gives up, whoever it is that sends them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread

import pytest

from wheelgate.config import resolve
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.errors import BadUpstream, Refusal, UpstreamTimeout
from wheelgate.outgoing import Outgoing, response_heads

MAX_REPEATS = 50_000
"""Bounds a server whose client does not close the connection."""


class Endless:
    """A server that sends a beginning, and then the same piece again and again."""

    def __init__(self, begin: bytes, piece: bytes, seconds: float) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sent = begin, piece, seconds
        self._closed = Event()
        self._thread = Thread(target=self._serve)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def _serve(self) -> None:
        begin, piece, seconds = self._sent
        with suppress(OSError):
            connection, _ = self._listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(begin)
                for _ in range(MAX_REPEATS):
                    connection.sendall(piece)
                    if self._closed.wait(seconds):
                        return

    def close(self) -> None:
        """Stop the server."""
        self._closed.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


HEADS = {
    "many headers": (b"HTTP/1.1 200 OK\r\n", b"X: " + b"x" * 60_000 + b"\r\n", 0.0, BadUpstream),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.0, BadUpstream),
    "a slow status line": (b"HTTP/1.1 200 ", b"O", 0.01, UpstreamTimeout),
    "a slow header": (b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.01, UpstreamTimeout),
    "slow interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01, UpstreamTimeout),
}


@pytest.fixture
def endless(request: pytest.FixtureRequest) -> Iterator[Endless]:
    """Start a server that sends what the test names."""
    server = Endless(*request.param)
    yield server
    server.close()


@pytest.mark.parametrize(
    ("endless", "expected"), [(case[:3], case[3]) for case in HEADS.values()], ids=HEADS, indirect=["endless"]
)
def test_a_head_that_does_not_end(monkeypatch: pytest.MonkeyPatch, endless: Endless, expected: type[Refusal]) -> None:
    """The request fails although each read of the connection succeeds in time."""
    if expected is UpstreamTimeout:
        monkeypatch.setattr(response_heads, "MAX_HEAD_SECONDS", 0.1)
    outgoing = Outgoing(resolve(CORE_OPTIONS, {}, {}))

    with outgoing.session() as session, pytest.raises(Exception) as failed:  # noqa: PT011 - whatever it is
        session.get(endless.url)

    assert type(outgoing.refusal(failed.value, endless.url)) is expected


@pytest.mark.parametrize(
    "endless", [(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n", b"x" * 100_000, 0.0)], indirect=True
)
def test_bodies_have_other_limits(monkeypatch: pytest.MonkeyPatch, endless: Endless) -> None:
    """A body may be larger, and take longer, than a head."""
    monkeypatch.setattr(response_heads, "MAX_HEAD_SECONDS", 0.0)
    with Outgoing(resolve(CORE_OPTIONS, {}, {})).session() as session:
        assert len(session.get(endless.url).content) == 2_000_000
