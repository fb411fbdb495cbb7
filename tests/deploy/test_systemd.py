"""The systemd units in ``deploy/`` are valid and hardened, and the server uses the socket that they open."""

from __future__ import annotations

import configparser
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICE = (DEPLOY / "wheelgate.service").read_text("utf-8")
SOCKET = (DEPLOY / "wheelgate.socket").read_text("utf-8")
PROGRAM = Path(sys.executable).with_name("devpi-server")
MAX_EXPOSURE_TENTHS = 15
"""In tenths of systemd's figure, which is 100 for a service without any hardening, and 10 for this one."""
PASS_SOCKET = """
import os, sys
descriptor, *command = sys.argv[1:]
os.dup2(int(descriptor), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(command[0], command)
"""
"""Passes a socket to a command as systemd does."""

with_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """Write both units into a folder, with a command that exists on this machine."""
    command, found = re.subn(r"(?m)^(ExecStart=)/opt/wheelgate/bin/devpi-server ", rf"\1{PROGRAM} ", SERVICE)
    assert found == 1
    (tmp_path / "wheelgate.service").write_text(command)
    (tmp_path / "wheelgate.socket").write_text(SOCKET)
    return sorted(tmp_path.iterdir())


def analyze(*arguments: str | Path) -> None:
    """Run systemd-analyze, which must report nothing."""
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""


@with_systemd
@pytest.mark.slow
def test_systemd_accepts_the_units(units: list[Path]) -> None:
    """Systemd knows every line of the units."""
    analyze("verify", *units)


@with_systemd
@pytest.mark.slow
def test_the_service_is_hardened(units: list[Path]) -> None:
    """Systemd's figure for the access that an attacker in the server would have stays low."""
    analyze("security", "--offline=true", f"--threshold={MAX_EXPOSURE_TENTHS}", units[0])


def test_the_socket_is_where_the_server_expects_it() -> None:
    """The unit opens the server's default address."""
    unit = configparser.ConfigParser(strict=False)
    unit.read_string(SOCKET)

    assert unit["Socket"]["ListenStream"] == "127.0.0.1:3141"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Open a socket that stays open whatever the server does, as systemd's does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def behind(listener: socket.socket, tmp_path: Path, *options: str) -> ServerProcess:
    """Return a server that gets the socket from its parent process."""
    descriptor = listener.fileno()
    command = (sys.executable, "-c", PASS_SOCKET, str(descriptor), str(PROGRAM))
    server = ServerProcess(tmp_path / "server", *CHEAP_HASHING, *options, command=command, pass_fds=[descriptor])
    server.port = listener.getsockname()[1]
    return server


@pytest.mark.slow
def test_a_request_waits_while_the_server_restarts(listener: socket.socket, tmp_path: Path) -> None:
    """The socket stays open between two processes, and the second one answers a request that was sent in between."""
    server = behind(listener, tmp_path)
    with server:
        assert server.request("GET", "/+api").status == 200
    statuses: list[int] = []
    waiting = threading.Thread(target=lambda: statuses.append(server.request("GET", "/+api").status))
    waiting.start()
    with server:
        waiting.join(60)

    assert statuses == [200]


@pytest.mark.slow
def test_a_socket_that_listens_elsewhere_is_refused(tmp_path: Path) -> None:
    """A socket that listens on another address than the settings say stops the start."""
    with socket.create_server(("127.0.0.2", 0)) as listener:
        server = behind(listener, tmp_path)
        reason = (
            f"systemd passes a socket that listens on 127.0.0.2:{server.port}, but --host and --port say 127.0.0.1:"
        )
        with pytest.raises(RuntimeError, match=f"ended during its start:\n(.*\n)*devpi-server: {re.escape(reason)}"):
            server.start()


@pytest.mark.slow
def test_a_unix_socket_is_refused(tmp_path: Path) -> None:
    """The server needs TCP, because it slows down wrong passwords by the client's address."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        descriptor = listener.fileno()
        command = (sys.executable, "-c", PASS_SOCKET, str(descriptor), str(PROGRAM))
        server = ServerProcess(tmp_path / "server", *CHEAP_HASHING, command=command, pass_fds=[descriptor])
        with pytest.raises(RuntimeError, match=f"a socket that listens on {re.escape(str(path))}, but --host"):
            server.start()
