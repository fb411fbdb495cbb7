"""A public index as mirrors meet it, good or bad: a real HTTP server in a thread, with what tests put into it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

import pytest
from tests.helpers import simple_pages
from tests.helpers.distributions import Distribution
from tests.helpers.simple_pages import JSON, Link, normalised

PATIENCE = 60.0
"""Seconds that anything waits at most."""
UPLOADED = "2020-02-02T02:02:02.020202Z"
ENDLESS = 1 << 16
"""Times that a body which never ends is repeated, should nobody hang up."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What an answer does to whoever asked; every part of it is optional and they combine."""

    status: int = 0
    """Answer with this status, and a sentence."""
    location: str = ""
    """Redirect there; with 302 if no status is given."""
    body: bytes | None = None
    """Answer with this instead."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that are added, or take the place of others."""
    cut: int | None = None
    """Hang up after so many bytes of the body, of which all are announced."""
    endless: bool = False
    """Send the body again and again, without an announced length."""
    delay: float = 0.0
    """Seconds to wait before the answer; in tests a gate is better."""
    gate: threading.Event | None = None
    """Wait for this event …"""
    gate_at: int = 0
    """… after so many bytes of the body; with 0 not even the head is sent before."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    """By names in lower case."""


class Upstream:
    """An index at ``url``, which can be stopped and started again on the same port.

    Attributes:
        form: what pages are written in, whatever is asked for; ``both`` listens to ``Accept``.
        version: of the simple API (1.0 to 1.4): what came later is left out.
        etags: whether answers carry ETags and 304 is given.
        gzip: whether pages are compressed for those who accept that.
        headers: headers that all answers carry.
        credentials: name and password without which everything is 401.
        files_url: where links to files lead; relative to a project's page, or absolute.
        faults: what goes wrong, by path; ``*`` stands for all others.
        status: what PEP 792 says of a project, by its name: the status, and the reason or an empty string.
    """

    def __init__(self, form: Literal["html", "json", "both"] = "both", version: str = "1.4") -> None:
        self.form = form
        self.version = version
        self.etags = True
        self.gzip = False
        self.headers: dict[str, str] = {}
        self.credentials: tuple[str, str] | None = None
        self.files_url = "../../files/"
        self.faults: dict[str, Fault] = {}
        self.status: dict[str, tuple[str, str]] = {}
        self._projects: dict[str, dict[str, Link]] = {}
        self._asked: list[Asked] = []
        self._arrived = threading.Condition()
        self._port = 0
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def root(self) -> str:
        """The server's address, with a slash at its end."""
        return f"http://127.0.0.1:{self._port}/"

    @property
    def url(self) -> str:
        """The address of the simple index: a ``mirror_url``."""
        return f"{self.root}simple/"

    def add(
        self,
        made: Distribution,
        *,
        sha256: str | None = None,
        upload_time: str = UPLOADED,
        yanked: bool | str = False,
        metadata: bool = True,
        metadata_sha256: str | None = None,
        provenance: str = "",
    ) -> Distribution:
        """Offer a file, in place of one of that name if there is one.

        Args:
            made: the file.
            sha256: digest to tell instead of the right one; empty for none.
            upload_time: as JSON has it; empty for none.
            yanked: True, or the reason.
            metadata: whether there is a sibling with the metadata, for a wheel.
            metadata_sha256: digest to tell of the sibling instead of the right one.
            provenance: URL of it.
        """
        sibling = hashlib.sha256(made.metadata).hexdigest() if metadata and made.filename.endswith(".whl") else ""
        self._projects.setdefault(normalised(made.name), {})[made.filename] = Link(
            made,
            made.sha256 if sha256 is None else sha256,
            upload_time,
            yanked,
            sibling if metadata_sha256 is None else metadata_sha256,
            provenance,
        )
        return made

    def list_names(self, *names: str) -> None:
        """List projects that have no files."""
        for name in names:
            self._projects.setdefault(normalised(name), {})

    def change(self, filename: str, **changes: Any) -> None:
        """Tell other things of a file; see ``Link``."""
        for links in self._projects.values():
            if filename in links:
                links[filename] = replace(links[filename], **changes)

    def remove(self, filename: str) -> None:
        """Take a file away."""
        for links in self._projects.values():
            links.pop(filename, None)

    def remove_project(self, name: str) -> None:
        """Take a project away with all its files."""
        del self._projects[normalised(name)]

    def file_path(self, made: Distribution) -> str:
        """Return the path of a file, as ``asked`` and ``faults`` have it."""
        return f"/files/{made.filename}"

    def page_path(self, name: str = "") -> str:
        """Return the path of a project's page, or of the list of projects."""
        return f"/simple/{normalised(name)}/" if name else "/simple/"

    def asked(self, path: str = "") -> list[Asked]:
        """Return the requests that arrived for a path, or all."""
        with self._arrived:
            return [one for one in self._asked if path in ("", one.path)]

    def count(self, path: str = "") -> int:
        """Return how many requests arrived for a path, or at all."""
        return len(self.asked(path))

    def counts(self) -> Counter[str]:
        """Return how many requests arrived, by path."""
        return Counter(one.path for one in self.asked())

    def forget(self) -> None:
        """Count from 0 again."""
        with self._arrived:
            self._asked.clear()

    def wait_for(self, path: str, count: int = 1) -> None:
        """Wait until so many requests for a path arrived, whether they were answered or not."""
        with self._arrived:
            enough = self._arrived.wait_for(lambda: sum(one.path == path for one in self._asked) >= count, PATIENCE)
        if not enough:
            raise TimeoutError(f"{path} was not asked for {count} times")

    def note(self, asked: Asked) -> None:
        """Take down a request."""
        with self._arrived:
            self._asked.append(asked)
            self._arrived.notify_all()

    def start(self) -> Self:
        """Start to listen."""
        self._server = _Server(self, self._port)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop, and hang up on everybody: connections are refused from now on."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join(PATIENCE)
            self._server.hang_up()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def content(self, path: str, accept: str) -> tuple[str, bytes] | None:
        """Return the media type and the content of what lies at a path."""
        parts = unquote(path).strip("/").split("/")
        as_json = self.form == "json" or (self.form == "both" and JSON in accept)
        if parts == ["simple"]:
            return simple_pages.of_names(sorted(self._projects), self.version, as_json)
        if parts[0] == "simple" and len(parts) == 2 and parts[1] in self._projects:
            links = list(self._projects[parts[1]].values())
            return simple_pages.of_project(
                parts[1], links, self.version, as_json, self.files_url, *self.status.get(parts[1], ("", ""))
            )
        if parts[0] == "files" and len(parts) == 2:
            return self._file(parts[1])
        return None

    def _file(self, name: str) -> tuple[str, bytes] | None:
        for links in self._projects.values():
            if name in links:
                return "application/octet-stream", links[name].made.content
            if name.removesuffix(".metadata") in links and links[name.removesuffix(".metadata")].metadata_sha256:
                return "application/octet-stream", links[name.removesuffix(".metadata")].made.metadata
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, upstream: Upstream, port: int) -> None:
        self.upstream = upstream
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it went away by itself

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: whoever asked has hung up, as some tests want it."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        upstream = self.server.upstream
        path = urlsplit(self.path).path
        upstream.note(Asked(self.command, path, {name.lower(): value for name, value in self.headers.items()}))
        fault = upstream.faults.get(path) or upstream.faults.get("*") or Fault()
        if fault.delay:
            threading.Event().wait(fault.delay)
        if fault.gate is not None and fault.gate_at == 0:
            fault.gate.wait(PATIENCE)
        status, headers, body = self._answer(upstream, path, fault)
        self._send(status, headers, body, fault)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, upstream: Upstream, path: str, fault: Fault) -> tuple[int, dict[str, str], bytes]:
        if fault.location:
            return fault.status or 302, {"Location": fault.location}, b""
        if fault.status and fault.body is None:
            return fault.status, {"Content-Type": "text/plain"}, b"this was asked for"
        if not self._may(upstream.credentials):
            return 401, {"WWW-Authenticate": 'Basic realm="upstream"'}, b"who are you?"
        found = upstream.content(path, self.headers.get("Accept", ""))
        if found is None and fault.body is None:
            return 404, {"Content-Type": "text/plain"}, b"no such page"
        if path.startswith("/simple") and not path.endswith("/"):
            return 301, {"Location": f"{path}/"}, b""
        kind, body = found or ("text/plain", b"")
        body = body if fault.body is None else fault.body
        headers = {"Content-Type": kind, **upstream.headers}
        if path.startswith("/simple"):
            headers["Vary"] = "Accept, Accept-Encoding"
        if upstream.etags:
            headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
            if self.headers.get("If-None-Match") == headers["ETag"]:
                return 304, headers, b""
        if upstream.gzip and path.startswith("/simple") and "gzip" in self.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, mtime=0)
        return fault.status or 200, headers, body

    def _may(self, credentials: tuple[str, str] | None) -> bool:
        if credentials is None:
            return True
        right = base64.b64encode(":".join(credentials).encode()).decode()
        return self.headers.get("Authorization") == f"Basic {right}"

    def _send(self, status: int, headers: dict[str, str], body: bytes, fault: Fault) -> None:
        self.send_response(status)
        if not fault.endless and status != 304:
            headers["Content-Length"] = str(len(body))
        if fault.endless or fault.cut is not None:
            headers["Connection"] = "close"
        for name, value in {**headers, **fault.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        sent = body if fault.cut is None else body[: fault.cut]
        if fault.gate is not None and fault.gate_at:
            self.wfile.write(sent[: fault.gate_at])
            fault.gate.wait(PATIENCE)
            sent = sent[fault.gate_at :]
        for _ in range(ENDLESS if fault.endless else 1):
            self.wfile.write(sent)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Start an upstream without projects, for this test alone."""
    with Upstream() as upstream:
        yield upstream
