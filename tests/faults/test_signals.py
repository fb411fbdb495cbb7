"""Signals: SIGTERM stops the server gracefully, SIGHUP makes it read its settings again without losing a request."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.helpers.wire import (
    NO_ANSWER_ERRORS,
    Auth,
    Connection,
    announced_port,
    call,
    launched,
    login,
    read_all,
    wait_until,
    workers,
)

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> list[str]:
    """Return the arguments for a server on a free port with a new folder."""
    return ["--serverdir", str(tmp_path / "server"), "--port", "0", *CHEAP_HASHING]


def test_sigterm_finishes_running_requests(tmp_path: Path, folder: list[str]) -> None:
    """A request whose body is still arriving is answered, new connections are refused, and the exit code is 0."""
    body = b'{"password": "1234"}'
    head = b"PUT /emilie HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    with launched(*folder, "--workers", "2") as process:
        server = announced_port(process)
        address = ("127.0.0.1", server.port)
        with socket.create_connection(address, timeout=30) as slow:
            slow.sendall(head + body[:5])
            assert [call(server, "GET", "/").status for _ in range(20)] == [200] * 20  # by now the head has been read
            process.terminate()
            wait_until(lambda: refused(address), "new connections are refused")
            slow.sendall(body[5:])
            exchange = read_all(slow)
        assert exchange.statuses == [201]
        assert b"\r\nConnection: close\r\n" in exchange.received
        assert process.wait(30) == 0
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING) as again:
        login(again, "emilie", "1234")


def refused(address: tuple[str, int]) -> bool:
    """Whether connections to an address are refused."""
    with socket.socket() as probe:
        return probe.connect_ex(address) != 0


@pytest.mark.parametrize("after", [0.1, 0.3, 0.5])
def test_sigterm_stops_workers_that_are_starting(folder: list[str], after: float) -> None:
    """A signal that arrives while workers start stops them, and is not lost until a timeout."""
    with launched(*folder, "--workers", "12") as process:
        announced_port(process)
        time.sleep(after)
        process.terminate()
        assert process.wait(20) == 0


@dataclass(slots=True)
class Load:
    """Clients that send requests without pause, and record those without a proper answer."""

    server: ServerProcess
    root: Auth
    stopped: threading.Event = field(default_factory=threading.Event)
    answered: int = 0
    failures: list[str] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Load:
        work: list[Callable[[int], None]] = [self.on_kept_connection, self.on_new_connections, self.changing]
        for number, function in enumerate(work * 2):
            self.threads.append(threading.Thread(target=function, args=(number,)))
            self.threads[-1].start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def on_kept_connection(self, number: int) -> None:
        """Send every request on one connection."""
        with contextlib.closing(Connection(self.server)) as connection:
            while not self.stopped.is_set():
                self.record("kept", lambda: connection.call("GET", "/+api").status)

    def on_new_connections(self, number: int) -> None:
        """Open a connection for each request."""
        while not self.stopped.is_set():
            self.record("new", lambda: call(self.server, "GET", "/").status)

    def changing(self, number: int) -> None:
        """Create and delete an index."""
        while not self.stopped.is_set():
            self.record("creation", lambda: call(self.server, "PUT", f"/root/load{number}", {}, self.root).status)
            self.record("deletion", lambda: call(self.server, "DELETE", f"/root/load{number}", auth=self.root).status)

    def record(self, what: str, request: Callable[[], int]) -> None:
        """Send one request and record the result."""
        try:
            status = request()
        except NO_ANSWER_ERRORS as error:
            self.failures.append(f"{what}: {error!r}")
            return
        if status in {200, 201}:
            self.answered += 1
        else:
            self.failures.append(f"{what}: status {status}")


def test_sighup_fails_no_request(tmp_path: Path) -> None:
    """While clients read and write, on kept and on new connections, two reloads replace all workers unnoticed."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, workers=2) as server:
        with Load(server, login(server)) as load:
            for _ in range(2):
                before = workers(server)
                enough = load.answered + 200
                os.kill(server.pid, signal.SIGHUP)
                wait_until(lambda: len(workers(server)) == 2 and not workers(server) & before, "new workers")  # noqa: B023
                wait_until(lambda: load.answered > enough, "requests after the reload")  # noqa: B023
        assert load.failures == []


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Start a server that reads a configuration file, in which logins last 100 seconds."""
    folder = tmp_path_factory.mktemp("configured")
    server = ServerProcess(folder / "server", *CHEAP_HASHING, "--config", str(folder / "server.toml"))
    configure(server, "session-lifetime = 100")
    with server:
        yield server


def configure(server: ServerProcess, text: str) -> None:
    """Write the configuration file."""
    server.serverdir.with_name("server.toml").write_text(text)


def reload(server: ServerProcess, message: str) -> None:
    """Send SIGHUP; wait until the log contains a message and all workers are new."""
    before, seen = workers(server), len(server.log.read_text())
    os.kill(server.pid, signal.SIGHUP)
    wait_until(lambda: message in server.log.read_text()[seen:], f"the log says {message!r}")
    wait_until(lambda: workers(server) and not workers(server) & before, "new workers")


def lifetime(server: ServerProcess) -> int:
    """Return the lifetime of a new login in seconds."""
    seconds: int = call(server, "POST", "/+login", {"user": "root", "password": ""}).result["expiration"]
    return seconds


BAD_SETTINGS = {
    "not TOML": ("session-lifetime = ", "is not TOML"),
    "an unknown key": ("session-lifetme = 200", "did you mean 'session-lifetime'?"),
    "an invalid value": ("session-lifetime = 200\nhash-concurrency = 'many'", "a whole number from 1 to 16"),
    "an unknown plugin": ("session-lifetime = 200\nno-plugin = ['stages']", "did you mean 'stage'?"),
    "no store of users": ("session-lifetime = 200\nno-plugin = ['sql_store']", "no plugin provides a store of users"),
    "a log that cannot be written": ("session-lifetime = 200\naccess-log = '/nowhere/log'", "/nowhere/log"),
}


@pytest.mark.parametrize(("text", "message"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_sighup_refuses_bad_settings(configured: ServerProcess, text: str, message: str) -> None:
    """All old settings stay in force, and the log says why."""
    configure(configured, text)
    reload(configured, message)
    assert lifetime(configured) == 100


def test_sighup_applies_new_settings(configured: ServerProcess) -> None:
    """The settings in the file apply after the signal, even if the file was wrong before."""
    configure(configured, "session-lifetime = 200")
    reload(configured, "the settings were read again")
    assert lifetime(configured) == 200


def test_sighup_does_not_move_a_server(tmp_path: Path) -> None:
    """A reload refuses another folder or port, because the lock and the address stay those of the start."""
    file = tmp_path / "server.toml"
    folder = f"serverdir = '{tmp_path / 'server'}'\n"
    file.write_text(f"{folder}port = 0")
    with launched("--config", str(file)) as process:
        server = announced_port(process)
        assert process.stdout is not None
        for key, moved in (("port", f"{folder}port = 1"), ("serverdir", f"serverdir = '{tmp_path}'\nport = 0")):
            file.write_text(moved)
            process.send_signal(signal.SIGHUP)
            line = next(line for line in process.stdout if "reload" in line)
            assert f"'{key}' cannot change while the server runs" in line
            assert call(server, "GET", "/").status == 200


def test_a_folder_has_one_server(tmp_path: Path) -> None:
    """A second server on the same folder stops with a message; the first one keeps running."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING) as server:
        with launched("--serverdir", str(server.serverdir), "--port", "0") as second:
            said, _ = second.communicate(timeout=30)
            assert second.returncode == 1
        problem, remedy = (
            f"another server uses {server.serverdir}",
            "stop it, or start this one with another --serverdir",
        )
        assert said == f"devpi-server: {problem}; {remedy}\n"
        assert call(server, "GET", "/").status == 200
