"""Large files to a client without their bytes passing through Python: from the page cache to the socket (sendfile).

gunicorn counts what is sent and waits for a slow client by what the application hands it. So it is handed a stand-in
of the right length, and in the place of that the connection sends the file's own bytes.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any, Protocol

PIECE = 1 << 20
STAND_IN = bytes(PIECE)
"""What stands for a piece of a file; recognised by its identity, and never read."""


class Connection(Protocol):
    """A connection of gunicorn's, as far as it matters here."""

    transport: Any

    def pause_writing(self) -> None:
        """Let the application wait."""

    def resume_writing(self) -> None:
        """Let the application go on."""


class FileSender:
    """Sends pieces of files over one connection, each when its stand-in comes by."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: Connection) -> None:
        self._loop = loop
        self._connection = connection
        # Of its own: event loops let nobody else wait for the descriptor that a transport has.
        self._socket = os.dup(connection.transport.get_extra_info("socket").fileno())
        self._waiting = False
        self._file = -1
        self._place = 0
        self.left = 0
        """Bytes of the piece under way."""

    def announce(self, file: int, place: int) -> None:
        """Say which piece the next stand-in is for: an open file, and where the piece begins."""
        self._file, self._place = file, place

    def send(self) -> None:
        """Send the piece; what the socket does not take at once follows, and the application waits for that."""
        self.left = PIECE
        self._connection.pause_writing()
        self._go_on()

    def close(self) -> None:
        """Let go of the socket."""
        self._stop_waiting()
        os.close(self._socket)

    def _go_on(self) -> None:
        try:
            while self.left:
                sent = os.sendfile(self._socket, self._file, self._place, self.left)
                if not sent:
                    raise ConnectionAbortedError("the file has become shorter")
                self._place += sent
                self.left -= sent
        except BlockingIOError:
            if not self._waiting:
                self._loop.add_writer(self._socket, self._go_on)
                self._waiting = True
            return
        except OSError:  # the client has gone, or the disk fails: the answer must not end as whole
            self._connection.transport.abort()
        self._stop_waiting()
        self._connection.resume_writing()

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._loop.remove_writer(self._socket)
            self._waiting = False
