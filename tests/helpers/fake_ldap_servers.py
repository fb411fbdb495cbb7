"""Starts servers in place of a directory: one that does not answer, and one that changes a directory's answers."""

from __future__ import annotations

import select
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.helpers.slapd import Slapd

SILENCE = b""
NOT_LDAP = b"HTTP/1.1 400 Bad Request\r\n\r\n"
REFUSED_BIND = bytes((0x0A, 1, 49, 0x04, 0, 0x04, 0))
"""The result invalidCredentials, without a name and an explanation."""


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

    def replace(data: bytes) -> bytes:
        return data.replace(bytes((0x0A, 1, original)), bytes((0x0A, 1, code)))

    with relaying(directory.open_socket, replace, counted) as url:
        yield url


@contextmanager
def explaining(directory: Slapd, explanation: str) -> Iterator[str]:
    """Start a relay to a directory that explains each refused bind, as Active Directory does."""

    def explain(data: bytes) -> bytes:
        if REFUSED_BIND not in data:
            return data
        body = REFUSED_BIND[:-2] + tlv(0x04, explanation.encode())
        message_id = data[2 : 4 + data[3]]
        return tlv(0x30, message_id + tlv(0x61, body))

    with relaying(directory.open_socket, explain) as url:
        yield url


def tlv(tag: int, value: bytes) -> bytes:
    """Return a short value with its tag and length (X.690, section 8.1)."""
    return bytes((tag, len(value))) + value


@contextmanager
def relaying(
    connect: Callable[[], socket.socket], change: Callable[[bytes], bytes] = bytes, counted: list[str] | None = None
) -> Iterator[str]:
    """Start a relay to a directory, which can change what the directory sends."""
    visitors = [] if counted is None else counted

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            visitors.append(str(self.client_address))
            with connect() as behind:
                while True:
                    ready, _, _ = select.select([self.request, behind], [], [])
                    if self.request in ready and not relay(self.request, behind, bytes):
                        return
                    if behind in ready and not relay(behind, self.request, change):
                        return

    def relay(one: socket.socket, other: socket.socket, change: Callable[[bytes], bytes]) -> bytes:
        data = one.recv(10_000)
        other.sendall(change(data))
        return data

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as server:
        server.block_on_close = False  # connections that the client keeps for the next question end later
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"ldap://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
