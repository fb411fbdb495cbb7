"""gunicorn's ASGI worker, changed where it waits without a limit, accepts ambiguous requests, or ends abruptly."""

from __future__ import annotations

import asyncio
import logging
import re
from http import HTTPStatus
from typing import Any

from gunicorn.asgi import protocol
from gunicorn.asgi.parser import ParseError
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi

from wheelgate.files.sendfile import SENDFILE_MARKER, SendfileTransfer
from wheelgate.http.answers import TOO_SLOW_MESSAGE
from wheelgate.http.scope import (
    ADD_HEAD_LINES,
    CLIENT_IS_GONE,
    FILE_SENDER,
    MAX_REASON_PHRASE_BYTES,
    REASON_PHRASE_HEADER,
)
from wheelgate.process.body_clock import BodyClock

HOST_HEADER, CONTENT_LENGTH_HEADER = b"host", b"content-length"
OUT_OF_RANGE_MESSAGE = "the length of the body is out of range"
MAX_CONTENT_LENGTH_DIGITS = 18
"""A number with at most this many digits is below 2**63."""
CHUNK_SIZE_LIMIT = 2**64
"""The size of a chunk must be less than this many bytes: gunicorn's fast parser refuses others, the one in Python does
not."""
EXIT_GRACE_SECONDS = 0.1
"""Seconds to finish answers that promised to keep their connection; all but long downloads need less."""
LISTEN_DELAY_SECONDS = 0.1
"""Seconds from the start of a worker until its event loop listens."""
ENCODED_REASON_HEADER = REASON_PHRASE_HEADER.encode()
EXTRA_REASON_PHRASES = {int(status): status.phrase for status in HTTPStatus if status not in protocol._REASON_PHRASES}  # noqa: SLF001
"""Reason phrases of statuses that gunicorn does not know."""
NOSNIFF_HEADERS = (("X-Content-Type-Options", "nosniff"),)

log = logging.getLogger("wheelgate.worker")


class Protocol(ASGIProtocol):  # type: ignore[misc]
    """HTTP/1.1 with limits where gunicorn waits forever; it refuses requests that parsers read differently."""

    _head_timer: asyncio.TimerHandle | None = None
    _send_timer: asyncio.TimerHandle | None = None
    _response_buffer: Any
    _sender: SendfileTransfer | None = None
    _head_lines = b""
    """Raw lines for the head of the answer."""
    _early: tuple[bytes, ...] = ()
    """What a client has sent of the next request before this one was finished."""
    _body_clock: BodyClock | None = None
    """Measures how fast the body of the request arrives; None if it has none, or is there."""

    def connection_made(self, transport: Any) -> None:
        """Start the timer for the head of the first request; gunicorn itself has one for later requests."""
        super().connection_made(transport)
        self._head_timer = self.worker.loop.call_later(self.worker.app.head_timeout, self._head_too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        self._stop_head_timer()
        self._stop_send_timer()
        self._stop_body_clock()
        if self._sender is not None:
            self._sender.close()
            self._sender = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hold back the next request until this one is finished.

        gunicorn's fast parser keeps 64 KiB of it, and the connection is closed without an answer if there is more.
        """
        parser = self._callback_parser
        if self._early or (parser is not None and parser.is_complete):
            self._early = (*self._early, data)
            self._pause_reading()
        else:
            super().data_received(data)

    def _resume_reading(self) -> None:
        super()._resume_reading()
        if self._body_clock is not None and not self._reading_paused:
            self._body_clock.resume()
        if self._early:  # gunicorn resumes right before it resets the parser
            self.worker.loop.call_soon(self._feed_early)

    def _feed_early(self) -> None:
        early, self._early = self._early, ()
        for data in early:
            if not self._closed:
                self.data_received(data)
        if not self._early:
            self._maybe_resume_reading()

    def pause_writing(self) -> None:
        """Start the timer for a client that receives slowly or not at all."""
        super().pause_writing()
        self._watch_sending()

    def resume_writing(self) -> None:
        """Stop the timer."""
        self._stop_send_timer()
        super().resume_writing()

    def _watch_sending(self, before: int | None = None) -> None:
        """Close the connection if the client has received nothing since the last check: the answer stays in memory."""
        waiting = self.transport.get_write_buffer_size() + (
            self._sender.unsent_bytes if self._sender is not None else 0
        )
        if waiting == before:
            log.warning("closed the connection of a client that had stopped receiving an answer")
            self.transport.abort()
            return
        self._stop_send_timer()
        self._send_timer = self.worker.loop.call_later(self.worker.app.send_timeout, self._watch_sending, waiting)

    def _stop_send_timer(self) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None

    def _build_http_scope(self, request: Any, sockname: Any, peername: Any) -> dict[str, Any]:
        """Add functions that ASGI lacks: whether the client is gone, sendfile, and lines for the head."""
        scope: dict[str, Any] = super()._build_http_scope(request, sockname, peername)
        scope[CLIENT_IS_GONE] = self._is_closed
        scope[FILE_SENDER] = self._file_sender
        scope[ADD_HEAD_LINES] = self._add_to_head
        self._head_lines = b""
        return scope

    def _add_to_head(self, lines: bytes) -> None:
        self._head_lines = lines

    def _file_sender(self) -> SendfileTransfer | None:
        """Return the transfer that sends files over this connection; None if the connection is closed.

        From now on every write waits until it is sent, so that a file cannot overtake the bytes before it.
        """
        if self._sender is None and not self._closed:
            self._sender = SendfileTransfer(self.worker.loop, self)
            self.transport.set_write_buffer_limits(high=0)
        return self._sender

    def _send_body(self, body: bytes, chunked: bool = False, last: bool = False, size: int | None = None) -> None:
        """Send a part of an answer, or the file that it stands for."""
        if body is not SENDFILE_MARKER:
            super()._send_body(body, chunked, last, size)
        elif self._sender is not None:
            self._sender.send()

    def _is_closed(self) -> bool:
        return bool(self._closed)

    def _on_headers_complete(self) -> Any:
        self._stop_head_timer()
        refuse_ambiguous(self._callback_parser)
        skip_body = super()._on_headers_complete()
        request = self._current_request
        if request.content_length or request.chunked:
            self._body_clock = BodyClock(self.worker.loop, self.worker.app.body_timeout, self._body_too_slow)
        return skip_body

    def _on_body(self, chunk: bytes) -> None:
        """Count the bytes of the body."""
        if getattr(self._callback_parser, "_chunk_size", 0) >= CHUNK_SIZE_LIMIT:
            raise ParseError(OUT_OF_RANGE_MESSAGE)
        if self._body_clock is not None:
            self._body_clock.received_bytes += len(chunk)
        super()._on_body(chunk)

    def _on_message_complete(self) -> None:
        self._stop_body_clock()
        super()._on_message_complete()

    def _pause_reading(self) -> None:
        """Stop the clock as well: the server does not take more of the body at present."""
        super()._pause_reading()
        if self._body_clock is not None and self._reading_paused:
            self._body_clock.pause()

    def _stop_body_clock(self) -> None:
        if self._body_clock is not None:
            self._body_clock.stop()
            self._body_clock = None

    def _body_too_slow(self) -> None:
        """Let the application, which waits for the body, see the client as gone; gunicorn does so after silence."""
        self._body_clock = None
        if self._body_receiver is not None:
            self._body_receiver._body_wait_expired = True  # noqa: SLF001
            self._body_receiver._wake_waiter()  # noqa: SLF001

    def _handle_h1c_exception(self, exc: Exception) -> bool:
        """Refuse also a length of more digits than ``int`` takes, with which the parser in Python fails."""
        if super()._handle_h1c_exception(exc):
            return True
        if not isinstance(exc, ValueError | OverflowError):
            return False
        self._send_error_response(400, OUT_OF_RANGE_MESSAGE)
        self._close_transport()
        return True

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_too_slow(self) -> None:
        self._head_timer = None
        self._send_error_response(408, TOO_SLOW_MESSAGE)
        self._close_transport()

    def _is_websocket_upgrade(self, request: Any) -> bool:
        """Ignore the wish to upgrade, as RFC 9110, section 7.8, allows."""
        return False

    def _will_close(self, request: Any, response_requires_close: bool) -> bool:
        """Announce the end of the connection also if the rest of the body will not be read."""
        unread = self._body_receiver is not None and not self._body_receiver._complete  # noqa: SLF001
        return unread or self.worker.stopping or bool(super()._will_close(request, response_requires_close))

    def _send_response_start(self, status: int, headers: Any, request: Any, close: bool = False) -> None:
        """Build the head of an answer; ASGI has no reason phrase, so the application sends it as a header."""
        phrase = EXTRA_REASON_PHRASES.get(status)
        for number, (name, value) in enumerate(headers):
            if name == ENCODED_REASON_HEADER:
                phrase = printable_reason(value)
                headers = [*headers[:number], *headers[number + 1 :]]
                break
        super()._send_response_start(status, headers, request, close)
        line, end, rest = self._response_buffer.partition(b"\r\n")
        if phrase:
            version = "{}.{}".format(*request.version)
            line = f"HTTP/{version} {int(status)} {phrase}".encode("latin-1")
        self._response_buffer = line + end + self._head_lines + rest

    def _send_error_response(self, status: int, message: str, extra_headers: Any = ()) -> None:
        """Answer a request that never reaches the application; if its body stopped arriving, that is a 408."""
        if self._body_receiver is not None and self._body_receiver._body_wait_expired:  # noqa: SLF001
            status, message = 408, TOO_SLOW_MESSAGE
        super()._send_error_response(status, message, (*extra_headers, *NOSNIFF_HEADERS))


def printable_reason(reason: bytes) -> str:
    """Replace characters that a status line cannot have (RFC 9112, section 4), and cut a long reason."""
    return re.sub(r"[^\x20-\x7e\xa0-\xff]+", " ", reason.decode("latin-1"))[:MAX_REASON_PHRASE_BYTES]


def refuse_ambiguous(parser: Any) -> None:
    """Refuse a head that a proxy in front may have read in another way.

    gunicorn takes any installed version of its fast parser; those before 0.6.10 count a length modulo 2**64 and
    turn a folded line into a header without a name. The parser in Python takes a length of any size.

    Raises:
        ParseError: Content-Length is out of range, a header is folded (RFC 9112, section 5.2), or a request of
            HTTP/1.1 has no Host (section 3.2).
    """
    hosts = 0
    for name, value in parser.headers:  # PERF: for every header of every request, so it looks at lengths first
        size = len(name)
        if size == len(HOST_HEADER):
            hosts += name.lower() == HOST_HEADER
        elif (
            size == len(CONTENT_LENGTH_HEADER)
            and len(value) > MAX_CONTENT_LENGTH_DIGITS
            and name.lower() == CONTENT_LENGTH_HEADER
        ):
            raise ParseError(OUT_OF_RANGE_MESSAGE)
        elif not size:
            raise ParseError("a header is folded over several lines")
    if not hosts and parser.http_version >= (1, 1):
        raise ParseError("the header 'Host' is missing")


class Worker(gasgi.ASGIWorker):  # type: ignore[misc]
    """A worker that uses the protocol above, and closes the application after the last request."""

    stopping = False
    """Whether the worker is about to end, so that every answer announces the end of its connection."""

    def init_process(self) -> None:
        """Install the protocol; gunicorn has no setting for it."""
        gasgi.ASGIProtocol = Protocol
        # gunicorn looks for its fast parser once and stores the result on the class that asks, but reads it from its
        # own class. If only the subclass asked, the parser would never be used.
        ASGIProtocol._check_h1c_protocol_available()  # noqa: SLF001
        super().init_process()

    def init_signals(self) -> None:
        """Do nothing yet, so that an early signal kills the worker: before its loop runs, uvloop would lose it."""

    def handle_exit_signal(self) -> None:
        """Stop in two steps, so that no connection ends unannounced between an answer and the next request."""
        self.stopping = True
        self.loop.call_later(EXIT_GRACE_SECONDS, super().handle_exit_signal)

    async def _serve(self) -> None:
        super().init_signals()
        self.loop.call_later(LISTEN_DELAY_SECONDS, self._listen_again)
        await super()._serve()

    def _listen_again(self) -> None:
        # The event loop has set a backlog of 100; in a rush, the 101st client would wait for one to three seconds.
        for listener in self.sockets:
            listener.sock.listen(self.cfg.backlog)

    def run(self) -> None:
        """Serve, then close the application."""
        try:
            super().run()
        finally:
            self.app.close_application()
