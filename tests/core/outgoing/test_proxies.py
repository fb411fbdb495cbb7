"""Which requests go through ``--upstream-proxy``, and what the server says about the environment's proxies."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from tests.helpers.sites import Serve
from tests.helpers.upstream import Fault, Upstream, upstream  # noqa: F401

from wheelgate.config import resolve
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.errors import StartupError
from wheelgate.outgoing import Outgoing


class Proxy(ThreadingHTTPServer):
    """A proxy that answers itself, and records the URLs and logins of requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.seen: list[tuple[str, str]] = []


class ProxyHandler(BaseHTTPRequestHandler):
    """Answers ``proxied`` or, to a path with a URL, redirects there."""

    server: Proxy

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get("Proxy-Authorization", "")))
        target = self.path.partition("/to/")[2]
        self.send_response(302 if target else 200)
        self.send_header("Location", target)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"proxied")

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """Start a proxy."""
    server = Proxy()
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def outgoing(proxy: Proxy, *exceptions: str) -> Outgoing:
    """Return the ``server.outgoing`` of a server with a proxy that needs a login."""
    url = f"http://ann:secret@127.0.0.1:{proxy.server_port}"
    return Outgoing(resolve(CORE_OPTIONS, {"upstream-proxy": url, "upstream-no-proxy": list(exceptions)}, {}))


@pytest.mark.parametrize(
    ("exception", "host", "direct"),
    [
        ("localhost", "localhost", True),
        ("LOCALHOST.", "localhost", True),
        (".localhost", "localhost", True),
        ("*.localhost", "localhost", True),
        ("127.0.0.0/8", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.0/8", "localhost", False),
        ("10.0.0.0/8", "127.0.0.1", False),
        ("other.example", "packages.example", False),
        ("host", "localhost", False),
        ("localhost", "localhost.example", False),
    ],
)
def test_exceptions_are_reached_directly(
    proxy: Proxy,
    upstream: Upstream,  # noqa: F811
    exception: str,
    host: str,
    direct: bool,
) -> None:
    """A host, a domain and a network need no proxy; everything else goes through it, with its login."""
    upstream.list_names("abc")
    port = upstream.url.rpartition(":")[2].partition("/")[0]
    with outgoing(proxy, exception).session() as session:
        text = session.get(f"http://{host}:{port}/simple/").text

    assert (text != "proxied", len(proxy.seen)) == (direct, 0 if direct else 1)
    login = base64.b64encode(b"ann:secret").decode()
    assert all(sent == f"Basic {login}" for _, sent in proxy.seen)


def test_domains_include_the_names_below(proxy: Proxy) -> None:
    """A domain needs no proxy for all names below it, which the server then resolves itself."""
    server = outgoing(proxy, "internal.invalid")
    with server.session() as session:
        with pytest.raises(Exception, match=r"packages\.internal\.invalid"):
            session.get("http://packages.internal.invalid/")
        assert session.get("http://packages-internal.invalid/").text == "proxied"


def test_redirects_choose_anew(proxy: Proxy, upstream: Upstream) -> None:  # noqa: F811
    """A redirect from a host behind the proxy to an exception goes there directly, without the proxy's login."""
    upstream.list_names("abc")
    upstream.faults["/back/"] = Fault(location="http://packages.example/")
    with outgoing(proxy, "127.0.0.1").session() as session:
        assert "abc" in session.get(f"http://packages.example/to/{upstream.url}").text
        assert session.get(f"{upstream.root}back/").text == "proxied"

    assert ["proxy-authorization" in request.headers for request in upstream.asked()] == [False, False]


@pytest.mark.parametrize(
    "value", ["http://packages.example", "packages.example:8080", "a b", "10.0.0.0/99", "-/-", "*"]
)
def test_an_exception_is_a_host_or_a_network(value: str) -> None:
    """The server refuses to start with anything else, and says what it expects."""
    with pytest.raises(StartupError, match=r"--upstream-no-proxy: expected a host such as packages\.example"):
        resolve(CORE_OPTIONS, {"upstream-no-proxy": [value]}, {})


VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.mark.parametrize(
    ("environment", "options", "said"),
    [
        ({}, {}, []),
        ({"HTTPS_PROXY": "http://ann:secret@p:1"}, {}, [("HTTPS_PROXY", "--upstream-proxy")]),
        ({"HTTP_PROXY": "http://p", "https_proxy": "p"}, {}, [("HTTP_PROXY, https_proxy", "--upstream-proxy")]),
        ({"all_proxy": "p"}, {}, [("all_proxy", "--upstream-proxy")]),
        ({"HTTP_PROXY": ""}, {}, []),
        ({"NO_PROXY": "x"}, {}, []),
        (
            {"ALL_PROXY": "p", "no_proxy": "x"},
            {},
            [("ALL_PROXY", "--upstream-proxy"), ("no_proxy", "--upstream-no-proxy")],
        ),
        ({"HTTP_PROXY": "p"}, {"upstream_proxy": "http://p"}, []),
        ({"NO_PROXY": "x"}, {"upstream_proxy": "http://p"}, [("NO_PROXY", "--upstream-no-proxy")]),
        ({"NO_PROXY": "x"}, {"upstream_proxy": "http://p", "upstream_no_proxy": "x"}, []),
    ],
    ids=str,
)
def test_the_start_says_which_variables_are_ignored(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    environment: dict[str, str],
    options: dict[str, str],
    said: list[tuple[str, str]],
) -> None:
    """The start names the variables, without their values, and the option to set; it is silent if that is set."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with caplog.at_level(logging.WARNING):
        serve(**options)

    lines = [record.getMessage() for record in caplog.records if "ignored" in record.getMessage()]
    assert [line.partition(":")[0] for line in lines] == [names for names, _ in said]
    assert all(re.search(rf"{option}\b(?!-)", line) for line, (_, option) in zip(lines, said, strict=True))
    assert "secret" not in caplog.text
