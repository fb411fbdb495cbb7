"""The client's front door for tests, and servers that it should be able to cope with."""

from __future__ import annotations

import io
import json
import os
import ssl
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from wheelgate.testing.process import RunningServer
from wheelgate_client.main import main


class QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that go away, for its standard error is that of the client under test."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep it to itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of ``devpi`` left behind."""

    code: int
    out: str
    err: str

    def ok(self) -> Outcome:
        """Insist on success."""
        assert (self.code, self.err) == (0, ""), self
        return self

    def fails(self, code: int = 1) -> Outcome:
        """Insist on a failure that is told in a sentence, on standard error alone."""
        assert self.code == code, self
        assert self.err.strip(), self
        assert "Traceback" not in self.err
        return self


@dataclass(slots=True)
class Devpi:
    """Runs ``devpi`` in this process, with a home directory and an environment of its own."""

    home: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, stdin: str | bytes = "", **environ: str) -> Outcome:
        """Run a command; the keywords are environment variables for this run."""
        typed = stdin.encode() if isinstance(stdin, str) else stdin
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8"))
            for name, value in environ.items():
                patch.setenv(name, value)
            self.capsys.readouterr()
            code = main(arguments)
        return Outcome(code, *self.capsys.readouterr())

    @property
    def clientdir(self) -> Path:
        """Where the state lies."""
        return self.home / ".devpi" / "client"

    def state(self, name: str) -> dict[str, Any]:
        """Return what a state file holds."""
        content: dict[str, Any] = json.loads((self.clientdir / name).read_text())
        return content


@pytest.fixture
def devpi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Devpi:
    """Run ``devpi`` as a user who never ran it before."""
    home = tmp_path / "home"
    home.mkdir()
    for name in [name for name in os.environ if not name.startswith(("PATH", "TMPDIR", "PYTEST", "COV"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(home)
    return Devpi(home, monkeypatch, capsys)


@dataclass(frozen=True, slots=True)
class UserAccount:
    """A user of the real server, and ``devpi`` logged in as that user."""

    devpi: Devpi
    server: RunningServer
    name: str
    password: str = "a-good-password"

    @property
    def root(self) -> str:
        """The server's URL without the slash at its end."""
        return self.server.url.rstrip("/")


@pytest.fixture
def new_user(devpi: Devpi, index_server: RunningServer) -> UserAccount:
    """Use the server, and make a user of a new name, without logging in."""
    account = UserAccount(devpi, index_server, f"user{next(NUMBERS)}")
    devpi("use", account.root).ok()
    devpi("user", "-c", account.name, f"password={account.password}").ok()
    return account


@pytest.fixture
def logged_in_user(new_user: UserAccount) -> UserAccount:
    """Log in as a user of a new name."""
    new_user.devpi("login", new_user.name, "--password", new_user.password).ok()
    return new_user


NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Response:
    """What a made-up server says; anything but bytes is sent as JSON."""

    content: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    phrase: str | None = None
    """What follows the status in the first line; None for the standard words."""
    hangs: bool = False
    """Whether the answer comes only when the test is over."""

    def body(self) -> bytes:
        """Return the bytes to send."""
        return self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """What a made-up server was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return what was sent."""
        return json.loads(self.body)


@dataclass(slots=True)
class FakeServer:
    """Says what no index server says; other paths than the given ones, with or without a method, are 404."""

    url: str
    responses: dict[str, Response]
    requests: list[ReceivedRequest]
    server: ThreadingHTTPServer

    def enable_tls(self, certificate: Path) -> None:
        """Speak TLS from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")

    def act_as_index_server(self, username: str | None = None) -> None:
        """Answer discovery and login as an index server does, one that takes everybody for this user."""
        status = ["noauth", "", []] if username is None else ["ok", username, []]
        api = {"login": f"{self.url}/+login", "authstatus": status, "features": []}
        index = {"index": f"{self.url}/alice/dev", "simpleindex": f"{self.url}/alice/dev/+simple/"}
        self.respond("/+api", "apiconfig", api)
        self.respond("/alice/dev/+api", "apiconfig", {**api, **index})
        self.respond("/+login", "proxyauth", {"password": "a-token", "expiration": 36000})

    def serve_index(self, **api: object) -> None:
        """Answer as the index alice/dev does that is open for upload, to a login that is good; change it by ``api``."""
        index = f"{self.url}/alice/dev"
        standard = {
            "login": f"{self.url}/+login",
            "authstatus": ["ok", "alice", []],
            "features": [],
            "index": index,
            "simpleindex": f"{index}/+simple/",
            "pypisubmit": f"{index}/",
        }
        self.respond("/+login", "proxyauth", {"password": "a-token", "expiration": 36000})
        self.respond("/alice/dev/+api", "apiconfig", {**standard, **api})
        self.respond("/alice/dev?no_projects=", "indexconfig", {})

    def respond(self, path: str, kind: str, result: object) -> None:
        """Answer as index servers do."""
        self.responses[path] = Response({"result": result, "type": kind})

    def rewrite_urls(self, url: str, instead_of: str = "") -> None:
        """Give out addresses as a server does that was told its outside URL."""
        before = (instead_of or self.url).encode()
        for path, answer in self.responses.items():
            self.responses[path] = Response(answer.body().replace(before, url.encode()))


@pytest.fixture
def fake_server() -> Iterator[FakeServer]:
    """Start a server that answers by its table of paths, which the test fills."""
    responses: dict[str, Response] = {}
    requests: list[ReceivedRequest] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            requests.append(ReceivedRequest(self.command, self.path, dict(self.headers), sent))
            otherwise = responses.get(self.path, Response({"message": "nothing here"}, 404))
            answer = responses.get(f"{self.command} {self.path}", otherwise)
            body = answer.body()
            if answer.hangs:
                over.wait()
            self.send_response(answer.status, answer.phrase)
            standard = {
                "Content-Type": "application/json",
                "X-DEVPI-API-VERSION": "2",
                "Content-Length": str(len(body)),
            }
            for name, value in {**standard, **answer.headers}.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the library looks for these names
        do_PUSH = do_HEAD = handle_any  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            """Keep standard error for the client."""

    server = QuietServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield FakeServer(f"http://127.0.0.1:{server.server_port}", responses, requests, server)
    over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def index(devpi: Devpi, fake_server: FakeServer) -> FakeServer:
    """Use the index alice/dev of a made-up server, logged in as alice."""
    fake_server.serve_index()
    devpi("use", f"{fake_server.url}/alice/dev").ok()
    devpi("login", "alice", "--password", "x").ok()
    fake_server.requests.clear()
    return fake_server


@pytest.fixture
def install_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Return a function that installs a client plugin as pip would, given its name and its source."""
    installed: set[str] = set()

    def install(name: str, source: str) -> None:
        site = tmp_path / f"site-{name}"
        info = site / f"{name}-1.2.dist-info"
        info.mkdir(parents=True)
        (site / f"{name}.py").write_text(textwrap.dedent(source))
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[wheelgate.client]\n{name} = {name}\n")
        monkeypatch.syspath_prepend(site)
        installed.add(name)

    yield install
    for module in [module for module in sys.modules if module.partition(".")[0] in installed]:
        del sys.modules[module]
