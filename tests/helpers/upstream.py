"""An upstream for mirrors, working or broken: a real HTTP server in a thread, with the files of a test."""

from __future__ import annotations

import base64
import gzip
import hashlib
import socket
import ssl
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
from tests.helpers.simple_pages import SIMPLE_JSON, Link, normalised

MAX_WAIT_SECONDS = 60.0
"""The longest wait for a gate, a request or a thread."""
UPLOADED = "2020-02-02T02:02:02.020202Z"
"""The upload time of files without another one."""
ENDLESS_REPEATS = 1 << 16
"""How often an endless body is repeated if the client does not close the connection."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an answer. All fields are optional, and they can be combined."""

    status: int = 0
    """The status, with a short text as body."""
    location: str = ""
    """The target of a redirect, with status 302 unless ``status`` is given."""
    body: bytes | None = None
    """The body in place of the right one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers to add or replace."""
    cut: int | None = None
    """Close the connection after this many bytes of the body. ``Content-Length`` announces all of them."""
    endless: bool = False
    """Repeat the body again and again, without ``Content-Length``."""
    delay: float = 0.0
    """Seconds to wait before the answer. Prefer a gate: it makes no test slower."""
    gate: threading.Event | None = None
    """Wait for this event before the answer continues."""
    gate_at: int = 0
    """Wait at the gate after this many bytes of the body; 0 waits before the head."""


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request that arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    """By lower-case name."""


class Upstream:
    """An index at ``url``. It can be stopped, and started again on the same port.

    Attributes:
        form: the form of pages, whatever the client accepts; ``both`` respects ``Accept``.
        version: the version of the simple API (1.0 to 1.4); pages leave out fields of later ones.
        etags: whether answers have an ETag, and a matching one gets 304.
        gzip: whether pages are compressed for clients that accept it.
        headers: headers of all answers.
        credentials: the name and password that every request needs; others get 401.
        files_url: the folder of files in links; absolute, or relative to a project's page.
        faults: what is wrong with answers, by path; ``*`` stands for all other paths.
        status: the status of projects (PEP 792), by name: the status and a reason, which may be empty.
    """

    def __init__(
        self,
        form: Literal["html", "json", "both"] = "both",
        version: str = "1.4",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Make an upstream without projects; with ``tls`` it speaks https."""
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
        self._asked: list[ReceivedRequest] = []
        self._arrived = threading.Condition()
        self._port = 0
        self._tls = tls
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def root(self) -> str:
        """The URL of the server, with a slash at the end."""
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self._port}/"

    @property
    def url(self) -> str:
        """The URL of the simple index: a ``mirror_url``."""
        return f"{self.root}simple/"

    def add(
        self,
        dist: Distribution,
        *,
        sha256: str | None = None,
        upload_time: str = UPLOADED,
        yanked: bool | str = False,
        metadata: bool = True,
        metadata_sha256: str | None = None,
        provenance: str = "",
    ) -> Distribution:
        """Add a file. It replaces a file of the same name.

        Args:
            dist: the file.
            sha256: the digest on the page instead of the right one; empty for none.
            upload_time: as JSON writes it; empty for none.
            yanked: True, or the reason.
            metadata: whether a wheel has its metadata next to it.
            metadata_sha256: the digest of the metadata on the page instead of the right one.
            provenance: the URL of its provenance.
        """
        metadata_hash = hashlib.sha256(dist.metadata).hexdigest() if metadata and dist.filename.endswith(".whl") else ""
        self._projects.setdefault(normalised(dist.name), {})[dist.filename] = Link(
            dist,
            dist.sha256 if sha256 is None else sha256,
            upload_time,
            yanked,
            metadata_hash if metadata_sha256 is None else metadata_sha256,
            provenance,
        )
        return dist

    def list_names(self, *names: str) -> None:
        """Add projects without files."""
        for name in names:
            self._projects.setdefault(normalised(name), {})

    def change(self, filename: str, **changes: Any) -> None:
        """Change the fields of a file; see ``Link``."""
        for links in self._projects.values():
            if filename in links:
                links[filename] = replace(links[filename], **changes)

    def remove(self, filename: str) -> None:
        """Remove a file."""
        for links in self._projects.values():
            links.pop(filename, None)

    def remove_project(self, name: str) -> None:
        """Remove a project with all its files."""
        del self._projects[normalised(name)]

    def file_path(self, dist: Distribution) -> str:
        """Return the path of a file, for ``asked`` and ``faults``."""
        return f"/files/{dist.filename}"

    def page_path(self, name: str = "") -> str:
        """Return the path of a project's page, or of the list of projects."""
        return f"/simple/{normalised(name)}/" if name else "/simple/"

    def asked(self, path: str = "") -> list[ReceivedRequest]:
        """Return the requests that arrived, all or those for one path."""
        with self._arrived:
            return [request for request in self._asked if path in ("", request.path)]

    def count(self, path: str = "") -> int:
        """Return the number of requests that arrived, in all or for one path."""
        return len(self.asked(path))

    def counts(self) -> Counter[str]:
        """Return the numbers of requests that arrived, by path."""
        return Counter(request.path for request in self.asked())

    def forget(self) -> None:
        """Forget all requests: counts start at 0 again."""
        with self._arrived:
            self._asked.clear()

    def wait_for(self, path: str, count: int = 1) -> None:
        """Wait until this many requests for a path have arrived, answered or not."""
        with self._arrived:
            enough = self._arrived.wait_for(
                lambda: sum(request.path == path for request in self._asked) >= count, MAX_WAIT_SECONDS
            )
        if not enough:
            raise TimeoutError(f"fewer than {count} requests for {path} arrived")

    def record(self, request: ReceivedRequest) -> None:
        """Record a request that arrived."""
        with self._arrived:
            self._asked.append(request)
            self._arrived.notify_all()

    def start(self) -> Self:
        """Start the server."""
        self._server = _Server(self, self._port, self._tls)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop the server and close all connections; new ones are refused."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join(MAX_WAIT_SECONDS)
            self._server.close_connections()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def content(self, path: str, accept: str) -> tuple[str, bytes] | None:
        """Return the media type and body of the page or file at a path; None if there is none."""
        parts = unquote(path).strip("/").split("/")
        as_json = self.form == "json" or (self.form == "both" and SIMPLE_JSON in accept)
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
                return "application/octet-stream", links[name].dist.content
            if name.removesuffix(".metadata") in links and links[name.removesuffix(".metadata")].metadata_sha256:
                return "application/octet-stream", links[name.removesuffix(".metadata")].dist.metadata
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, upstream: Upstream, port: int, tls: ssl.SSLContext | None) -> None:
        self.upstream = upstream
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client has closed it

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: some tests make the client close the connection."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        upstream = self.server.upstream
        path = urlsplit(self.path).path
        upstream.record(
            ReceivedRequest(self.command, path, {name.lower(): value for name, value in self.headers.items()})
        )
        fault = upstream.faults.get(path) or upstream.faults.get("*") or Fault()
        if fault.delay:
            threading.Event().wait(fault.delay)
        if fault.gate is not None and fault.gate_at == 0:
            fault.gate.wait(MAX_WAIT_SECONDS)
        status, headers, body = self._answer(upstream, path, fault)
        self._send(status, headers, body, fault)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _answer(self, upstream: Upstream, path: str, fault: Fault) -> tuple[int, dict[str, str], bytes]:
        if fault.location:
            return fault.status or 302, {"Location": fault.location}, b""
        if fault.status and fault.body is None:
            return fault.status, {"Content-Type": "text/plain"}, b"a test asked for this status"
        if not self._is_allowed(upstream.credentials):
            return 401, {"WWW-Authenticate": 'Basic realm="upstream"'}, b"log in first"
        found = upstream.content(path, self.headers.get("Accept", ""))
        if found is None and fault.body is None:
            return 404, {"Content-Type": "text/plain"}, b"no such page"
        if path.startswith("/simple") and not path.endswith("/"):
            return 301, {"Location": f"{path}/"}, b""
        media_type, body = found or ("text/plain", b"")
        body = body if fault.body is None else fault.body
        headers = {"Content-Type": media_type, **upstream.headers}
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

    def _is_allowed(self, credentials: tuple[str, str] | None) -> bool:
        if credentials is None:
            return True
        right = base64.b64encode(":".join(credentials).encode()).decode()
        return self.headers.get("Authorization") == f"Basic {right}"

    def _send(self, status: int, headers: dict[str, str], body: bytes, fault: Fault) -> None:
        self.send_response_only(status)
        headers["Date"] = self.date_time_string()
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
            fault.gate.wait(MAX_WAIT_SECONDS)
            sent = sent[fault.gate_at :]
        for _ in range(ENDLESS_REPEATS if fault.endless else 1):
            self.wfile.write(sent)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Start an upstream without projects, for one test."""
    with Upstream() as upstream:
        yield upstream
