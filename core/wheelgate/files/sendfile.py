"""Large files from the page cache to the socket with sendfile(2): their bytes do not pass through Python.

gunicorn counts the bytes that the application hands over, and pauses it for a slow client. So the application hands
over a marker of the right length, and the connection sends the bytes of the file in place of it.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any, Protocol

SENDFILE_PIECE_BYTES = 1 << 20
SENDFILE_MARKER = bytes(SENDFILE_PIECE_BYTES)
"""Stands for a piece of a file. The connection recognises it by its identity, and never sends its bytes."""


class PausableConnection(Protocol):
    """The part of gunicorn's connection that a transfer uses."""

    transport: Any

    def pause_writing(self) -> None:
        """Pause the application."""

    def resume_writing(self) -> None:
        """Let the application continue."""


class SendfileTransfer:
    """Sends pieces of files over one connection, each when its marker arrives there."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: PausableConnection) -> None:
        self._loop = loop
        self._connection = connection
        # A duplicate: asyncio refuses to watch the descriptor of a transport itself.
        self._socket = os.dup(connection.transport.get_extra_info("socket").fileno())
        self._waiting = False
        self._file = -1
        self._position = 0
        self.unsent_bytes = 0
        """Bytes of the current piece that are not sent yet."""

    def set_next_piece(self, file: int, position: int) -> None:
        """Set the piece for the next marker: the descriptor of an open file, and where the piece starts."""
        self._file, self._position = file, position

    def send(self) -> None:
        """Send the piece. If the socket does not take all of it, the application pauses until it does."""
        self.unsent_bytes = SENDFILE_PIECE_BYTES
        self._connection.pause_writing()
        self._continue()

    def close(self) -> None:
        """Close the duplicate of the socket."""
        self._stop_waiting()
        os.close(self._socket)

    def _continue(self) -> None:
        try:
            while self.unsent_bytes:
                sent = os.sendfile(self._socket, self._file, self._position, self.unsent_bytes)
                if not sent:
                    raise ConnectionAbortedError("the file has become shorter")
                self._position += sent
                self.unsent_bytes -= sent
        except BlockingIOError:
            if not self._waiting:
                self._loop.add_writer(self._socket, self._continue)
                self._waiting = True
            return
        except OSError:  # the client has gone, or the disk fails: the answer must not look complete
            self._connection.transport.abort()
        self._stop_waiting()
        self._connection.resume_writing()

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._loop.remove_writer(self._socket)
            self._waiting = False
