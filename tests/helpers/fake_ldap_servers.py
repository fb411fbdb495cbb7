"""Starts servers in place of a directory: one that does not answer, and one that changes a directory's answers."""

from __future__ import annotations

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.helpers.slapd import Slapd

SILENCE = b""
NOT_LDAP = b"HTTP/1.1 400 Bad Request\r\n\r\n"


@dataclass
class SilentServer:
    """A server that accepts connections, as a directory does, and does not answer."""

    url: str
    connections: list[socket.socket] = field(default_factory=list)


@contextmanager
def listener(greeting: bytes) -> Iterator[SilentServer]:
    """Start a server that sends a greeting to every client, and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        listening = SilentServer(f"ldap://127.0.0.1:{server.getsockname()[1]}")

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                listening.connections.append(connection)
                connection.sendall(greeting)

        thread = threading.Thread(target=accept)
        thread.start()
        yield listening
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in listening.connections:
            connection.close()


@contextmanager
def answering(directory: Slapd, original: int, code: int, counted: list[str] | None = None) -> Iterator[str]:
    """Start a relay to a directory that replaces one result code with another (RFC 4511, appendix A)."""
    visitors = [] if counted is None else counted

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            visitors.append(str(self.client_address))
            with socket.create_connection(("127.0.0.1", directory.plain)) as behind:
                while True:
                    ready, _, _ = select.select([self.request, behind], [], [])
                    if self.request in ready and not relay(self.request, behind):
                        return
                    if behind in ready and not relay(behind, self.request):
                        return

    def relay(one: socket.socket, other: socket.socket) -> bytes:
        data = one.recv(10_000)
        other.sendall(data.replace(bytes((0x0A, 1, original)), bytes((0x0A, 1, code))))
        return data

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as server:
        server.block_on_close = False  # connections that the client keeps for the next question end later
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"ldap://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
