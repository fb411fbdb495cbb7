"""Fixtures that run ``devpi``, and fake servers with any behaviour."""

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
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import EntryPoints, entry_points
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from wheelgate.testing.server_process import ServerProcess
from wheelgate_client.main import main


class QuietServer(ThreadingHTTPServer):
    """Prints nothing when a client disconnects: the client under test uses the same standard error."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The exit code and output of one run of ``devpi``."""

    code: int
    out: str
    err: str

    def ok(self) -> Outcome:
        """Assert success."""
        assert (self.code, self.err) == (0, ""), self
        return self

    def fails(self, code: int = 1) -> Outcome:
        """Assert a failure with a message on standard error."""
        assert self.code == code, self
        assert self.err.strip(), self
        assert "Traceback" not in self.err
        return self


@dataclass(slots=True)
class Devpi:
    """Runs ``devpi`` in this process, with its own home directory and environment."""

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
        """The directory of the state files."""
        return self.home / ".devpi" / "client"

    def state(self, name: str) -> dict[str, Any]:
        """Return the content of a state file."""
        content: dict[str, Any] = json.loads((self.clientdir / name).read_text())
        return content


@cache
def entry_points_on(path: tuple[str, ...], group: str) -> EntryPoints:
    """Look for entry points once on each search path: it takes half of the time of a command, and changes nothing."""
    return entry_points(group=group)


@pytest.fixture
def devpi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Devpi:
    """Run ``devpi`` as a user without any state."""
    home = tmp_path / "home"
    home.mkdir()
    for name in [name for name in os.environ if not name.startswith(("PATH", "TMPDIR", "PYTEST", "COV"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("wheelgate_client.plugins.entry_points", lambda group: entry_points_on(tuple(sys.path), group))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(home)
    return Devpi(home, monkeypatch, capsys)


@dataclass(frozen=True, slots=True)
class UserAccount:
    """A user of the real server, and ``devpi`` logged in as that user."""

    devpi: Devpi
    server: ServerProcess
    name: str
    password: str = "a-good-password"

    @property
    def root(self) -> str:
        """The server's URL without the slash at its end."""
        return self.server.url.rstrip("/")


@pytest.fixture
def new_user(devpi: Devpi, index_server: ServerProcess) -> UserAccount:
    """Use the server and create a user with a new name, without logging in."""
    account = UserAccount(devpi, index_server, f"user{next(NUMBERS)}")
    devpi("use", account.root).ok()
    devpi("user", "-c", account.name, f"password={account.password}").ok()
    return account


@pytest.fixture
def logged_in_user(new_user: UserAccount) -> UserAccount:
    """Log in as a user with a new name."""
    new_user.devpi("login", new_user.name, "--password", new_user.password).ok()
    return new_user


NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Response:
    """A response of the fake server; all content except bytes is sent as JSON."""

    content: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    phrase: str | None = None
    """The reason phrase of the status line; None for the standard one."""
    hangs: bool = False
    """Whether the server waits with the response until the test is over."""

    def body(self) -> bytes:
        """Return the bytes to send."""
        return self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request that the fake server received."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the JSON in the body."""
        return json.loads(self.body)


@dataclass(slots=True)
class FakeServer:
    """Responds with ``responses``, by path or by method and path, and with 404 to everything else."""

    url: str
    responses: dict[str, Response]
    requests: list[ReceivedRequest]
    server: ThreadingHTTPServer

    def enable_tls(self, certificate: Path, client_authority: Path | None = None) -> None:
        """Require TLS from now on, and certificates that an authority has signed for clients."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if client_authority is not None:
            context.load_verify_locations(client_authority)
            context.verify_mode = ssl.CERT_REQUIRED
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")

    def act_as_index_server(self, username: str | None = None) -> None:
        """Respond to discovery and login like an index server that takes every client for this user."""
        status = ["noauth", "", []] if username is None else ["ok", username, []]
        api = {"login": f"{self.url}/+login", "authstatus": status, "features": []}
        index = {"index": f"{self.url}/alice/dev", "simpleindex": f"{self.url}/alice/dev/+simple/"}
        self.respond("/+api", "apiconfig", api)
        self.respond("/alice/dev/+api", "apiconfig", {**api, **index})
        self.respond("/+login", "proxyauth", {"password": "a-token", "expiration": 36000})

    def serve_index(self, **api: object) -> None:
        """Respond like the index alice/dev, which takes uploads, to a valid login; ``api`` overrides values."""
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
        """Set a response in the format of index servers."""
        self.responses[path] = Response({"result": result, "type": kind})

    def rewrite_urls(self, url: str, instead_of: str = "") -> None:
        """Replace the server's URL in all responses, as if it had an outside URL."""
        before = (instead_of or self.url).encode()
        for path, answer in self.responses.items():
            self.responses[path] = Response(answer.body().replace(before, url.encode()))


@pytest.fixture
def fake_server() -> Iterator[FakeServer]:
    """Start a server; the test fills its table of responses."""
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
            """Leave standard error to the client."""

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
    """Use the index alice/dev of a fake server, logged in as alice."""
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
        # An earlier test may have imported the real library of that name.
        for module in [module for module in sys.modules if module.partition(".")[0] == name]:
            monkeypatch.delitem(sys.modules, module)
        installed.add(name)

    yield install
    for module in [module for module in sys.modules if module.partition(".")[0] in installed]:
        del sys.modules[module]
