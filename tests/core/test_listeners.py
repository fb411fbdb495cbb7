"""The sockets that the server listens on: their addresses and options."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.helpers.wire import launched

from wheelgate.errors import StartupError
from wheelgate.process.listeners import bind_addresses, make_ready, open_listeners, start_listening
from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, free_port

CONTROL = Path("/proc/sys/net/ipv4/tcp_congestion_control")


@pytest.mark.skipif(not CONTROL.exists(), reason="only Linux tells, and lets a program choose")
@pytest.mark.parametrize(("address", "chosen"), [("127.0.0.1", "reno"), ("0.0.0.0", None)])
def test_only_the_loopback_sends_without_pacing(address: str, chosen: str | None) -> None:
    """The pacing of the machine stays in force for other addresses."""
    with socket.create_server((address, 0)) as listener:
        make_ready(SimpleNamespace(LISTENERS=[SimpleNamespace(sock=listener)]))
        with socket.create_connection((address, listener.getsockname()[1])):
            accepted, _ = listener.accept()
            with accepted:
                used = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()
    assert used == (chosen or CONTROL.read_text().strip())


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def refusal(hosts: tuple[str, ...], port: int) -> str:
    """Return why the server does not start."""
    with pytest.raises(StartupError) as refused:
        open_listeners(bind_addresses(hosts, port))
    return str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_port_that_is_taken_is_refused(taken: int, host: str) -> None:
    """The message names the address, and the option that helps."""
    message = refusal((host,), taken)

    assert message.startswith("another program, perhaps another devpi-server, listens on ")
    assert message.endswith(f":{taken}; stop it, or choose another port, for example --port {taken + 1}")


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("192.0.2.77", "--host: this machine does not have the address 192.0.2.77; give one of its addresses,"),
        ("nowhere.invalid", "--host: there is no host 'nowhere.invalid'; give an address of this machine"),
        ("127.0.0.1:80", "--host: there is no host '127.0.0.1:80'; give an address of this machine"),
        ("a" * 300, "--host: there is no host 'aaaa"),
    ],
)
def test_a_wrong_host_is_refused(host: str, sentence: str) -> None:
    """The message says what is wrong with the host."""
    assert refusal((host,), free_port()).startswith(sentence)


def test_a_port_that_another_program_takes_meanwhile_is_refused() -> None:
    """The port is checked again when the server begins to listen."""
    (bound,) = open_listeners(bind_addresses(["127.0.0.1"], 0))
    port = bound.getsockname()[1]
    with bound, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()

        with pytest.raises(StartupError, match=f"listens on 127.0.0.1:{port}; stop it"):
            start_listening([bound])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv takes the right to use low ports away")
@pytest.mark.skipif(
    int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 81, reason="every user may use low ports"
)
def test_a_low_port_is_refused_in_one_line(tmp_path: Path) -> None:
    """A user who may not use a port below 1024 gets one line, and no server is prepared."""
    server = ServerProcess(tmp_path / "server")
    program = ("setpriv", "--bounding-set", "-net_bind_service", *server.command)
    low = ServerProcess(tmp_path / "server", *CHEAP_HASHING, "--port", "81", command=program)
    with pytest.raises(
        RuntimeError, match=r"devpi-server: the system lets only root listen on port 81; .* --port 3141"
    ):
        low.start()

    assert len(low.log.read_text().splitlines()) == 1
    assert not (tmp_path / "server" / "wheelgate.db").exists()


@pytest.mark.slow
def test_the_server_listens_on_several_addresses(tmp_path: Path) -> None:
    """``--host`` can be repeated; the server prints each address, and answers there."""
    server = ServerProcess(tmp_path / "server", *CHEAP_HASHING, "--host", "127.0.0.2", "--host", "127.0.0.3")
    with server:
        for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
            with socket.create_connection((host, server.port)) as client:
                client.sendall(b"GET /+api HTTP/1.0\r\nHost: localhost\r\n\r\n")
                assert client.recv(100).split()[1] == b"200"

    log = server.log.read_text()
    assert [f"listens on http://127.0.0.{number}:{server.port}\n" in log for number in (1, 2, 3)] == [True] * 3
    assert f"serving at url: http://127.0.0.1:{server.port}\n" in log


@pytest.mark.slow
def test_a_taken_port_ends_the_start_in_one_line(tmp_path: Path, taken: int) -> None:
    """Nothing but the reason is printed."""
    options = ("--host", "127.0.0.1", "--port", str(taken), "--serverdir", str(tmp_path / "server"), "--no-root-pypi")
    with launched(*options, *CHEAP_HASHING) as process:
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert len(output.splitlines()) == 1
    assert output.startswith("devpi-server: another program")
