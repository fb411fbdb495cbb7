"""The server connects only to addresses that are allowed, also by redirects, names and proxies."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest
from tests.helpers.sites import ROOT_BEHIND_PROXY, Serve

from wheelgate.config import resolve
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.errors import BadInput, BadUpstream, Forbidden, UpstreamTimeout
from wheelgate.outgoing import Outgoing

ANYWHERE = "0.0.0.0"


def outgoing(allowed: Sequence[str] = (), host: str = "localhost", **more: str) -> Outgoing:
    """Return the ``server.outgoing`` of a server with these options."""
    flags: dict[str, Any] = {"host": host, **{name.replace("_", "-"): value for name, value in more.items()}}
    return Outgoing(resolve(CORE_OPTIONS, {**flags, "allow-upstream": list(allowed)}, {}))


@pytest.mark.parametrize(
    ("host", "allowed", "address", "yes"),
    [
        ("localhost", [], "127.0.0.1", True),
        ("127.0.0.1", [], "10.1.2.3", True),
        ("::1", [], "fe80::1%lo", True),
        (ANYWHERE, [], "127.0.0.1", False),
        (ANYWHERE, [], "127.8.8.8", False),
        (ANYWHERE, [], "0.0.0.0", False),
        (ANYWHERE, [], "10.1.2.3", False),
        (ANYWHERE, [], "172.16.0.1", False),
        (ANYWHERE, [], "192.168.1.1", False),
        (ANYWHERE, [], "100.64.0.1", False),
        (ANYWHERE, [], "169.254.169.254", False),
        (ANYWHERE, [], "224.0.0.1", False),
        (ANYWHERE, [], "255.255.255.255", False),
        (ANYWHERE, [], "240.0.0.1", False),
        (ANYWHERE, [], "::", False),
        (ANYWHERE, [], "::1", False),
        (ANYWHERE, [], "fe80::1%lo", False),
        (ANYWHERE, [], "fd00::1", False),
        (ANYWHERE, [], "ff02::1", False),
        (ANYWHERE, [], "::ffff:127.0.0.1", False),
        (ANYWHERE, [], "::ffff:10.0.0.1", False),
        (ANYWHERE, [], "2002:7f00:1::", False),
        (ANYWHERE, [], "64:ff9b::a00:1", False),
        (ANYWHERE, [], "64:ff9b::808:808", True),
        (ANYWHERE, [], "8.8.8.8", True),
        (ANYWHERE, [], "2606:4700:4700::1111", True),
        ("localhost", ["public"], "127.0.0.1", False),
        ("localhost", ["public"], "8.8.8.8", True),
        (ANYWHERE, ["10.0.0.0/8"], "10.1.2.3", True),
        (ANYWHERE, ["10.0.0.0/8"], "::ffff:10.1.2.3", True),
        (ANYWHERE, ["10.0.0.0/8"], "192.168.1.1", False),
        (ANYWHERE, ["10.0.0.0/8"], "8.8.8.8", True),
        (ANYWHERE, ["public", "10.0.0.0/8", "fd00::/8"], "fd00::1", True),
        ("localhost", ["10.0.0.0/8"], "127.0.0.1", False),
    ],
)
def test_which_addresses_are_allowed(host: str, allowed: list[str], address: str, yes: bool) -> None:
    """Public addresses are always allowed; others if they are opened, or if only this machine can reach the server."""
    assert outgoing(allowed, host).policy.allows(address) is yes


@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        ("http://127.0.0.1/simple/", Forbidden),
        ("http://127.1:8000/simple/", Forbidden),
        ("http://2130706433/", Forbidden),
        ("http://0x7f.0.0.1/", Forbidden),
        ("http://[::1]:80/", Forbidden),
        ("http://[::ffff:10.0.0.1]/", Forbidden),
        ("http://user:secret@10.0.0.1/", Forbidden),
        ("ftp://packages.example/", BadInput),
        ("file:///etc/passwd", BadInput),
        ("http://", BadInput),
        ("http://packages.example:x/", BadInput),
        ("http://[::1", BadInput),
        ("https://packages.example/simple/", None),
        ("https://8.8.8.8/", None),
    ],
)
def test_what_is_refused_at_sight(url: str, refusal: type[Exception] | None) -> None:
    """A forbidden address is refused in every notation, before any name is resolved."""
    policy = outgoing(host=ANYWHERE).policy

    if refusal is None:
        policy.check_url(url)
    else:
        with pytest.raises(refusal) as refused:
            policy.check_url(url)
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "proxy",
    [{"outside_url": "https://packages.example"}, {"trusted_proxy": ["127.0.0.1"]}],
    ids=["outside-url", "trusted-proxy"],
)
def test_a_server_behind_a_proxy_reaches_public_addresses_only(serve: Serve, proxy: dict[str, Any]) -> None:
    """On loopback every address is open by default, but not if other machines reach the server through a proxy."""
    inside = {"type": "mirror", "mirror_url": "http://10.0.0.1/simple/"}
    alone, behind = serve("alone"), serve("behind", **proxy)
    opened = serve("opened", allow_upstream=["10.0.0.0/8"], **proxy)

    assert alone.request("PUT", "/root/inside", inside, auth=("root", "")).status == 200
    refused = behind.request("PUT", "/root/inside", inside, auth=ROOT_BEHIND_PROXY)
    assert (refused.status, "--allow-upstream" in refused.message) == (403, True)
    assert opened.request("PUT", "/root/inside", inside, auth=ROOT_BEHIND_PROXY).status == 200


class Handler(BaseHTTPRequestHandler):
    """A handler whose answer depends on the path; it records the requests."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self.server.seen.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
        kind, _, rest = self.path[1:].partition("/")
        if kind == "to":
            self.send_response(302)
            self.send_header("Location", unquote(rest))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif kind == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"half")
            self.close_connection = True
        elif kind == "garbage":
            self.wfile.write(b"\x00\x01 what?\r\n\r\n")
            self.close_connection = True
        else:
            self.send_response(200)
            self.send_header("Set-Cookie", "a=b; Path=/")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def upstream() -> Iterator[ThreadingHTTPServer]:
    """Start a server on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen = []  # type: ignore[attr-defined]
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1"])
@pytest.mark.parametrize(
    ("server", "allowed"),
    [("localhost", ["public"]), (ANYWHERE, []), (ANYWHERE, ["10.0.0.0/8"])],
    ids=["public", "by default", "another network"],
)
def test_a_closed_address_is_never_asked(
    upstream: ThreadingHTTPServer, host: str, server: str, allowed: list[str]
) -> None:
    """A closed address is refused by number and by name."""
    with outgoing(allowed, server).session() as session, pytest.raises(Forbidden, match="--allow-upstream"):
        session.get(f"http://{host}:{upstream.server_port}/")

    assert upstream.seen == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("target", ["http://127.0.0.2:{port}/", "http://0.0.0.0:{port}/", "http://[::1]:{port}/"])
def test_a_redirect_is_checked_again(upstream: ThreadingHTTPServer, target: str) -> None:
    """An allowed upstream cannot redirect the server to a closed address."""
    port = upstream.server_port
    with outgoing(["127.0.0.1/32"], ANYWHERE).session() as session:
        assert session.get(f"http://127.0.0.1:{port}/").text == "ok"
        with pytest.raises(Forbidden):
            session.get(f"http://127.0.0.1:{port}/to/{target.format(port=port)}")

    assert [unquote(path) for path, _ in upstream.seen] == ["/", f"/to/{target.format(port=port)}"]  # type: ignore[attr-defined]


def test_credentials_stay_with_their_host(
    upstream: ThreadingHTTPServer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect to another host sends no login; cookies, netrc and proxies of the environment are not used."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login bob password swordfish\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    port = upstream.server_port
    with outgoing().session() as session:
        session.get(f"http://alice:secret@localhost:{port}/to/http://127.0.0.1:{port}/")
        session.get(f"http://localhost:{port}/")
        session.get(f"http://localhost:{port}/")

    first, redirected, _, plain = (headers for _, headers in upstream.seen)  # type: ignore[attr-defined]
    assert first["Authorization"].startswith("Basic ")
    assert "Authorization" not in redirected
    assert not {"Authorization", "Cookie"} & set(plain)
    assert plain["User-Agent"].startswith("wheelgate/")


def test_a_proxy_is_used_where_one_is_named(upstream: ThreadingHTTPServer) -> None:
    """Every request goes to the proxy, which resolves names; a forbidden IP address is refused before."""
    proxy = f"http://127.0.0.1:{upstream.server_port}"
    with outgoing(host=ANYWHERE, upstream_proxy=proxy).session() as session:
        assert session.get("http://packages.example/simple/").text == "ok"
        with pytest.raises(Forbidden):
            session.get("http://10.0.0.1/")

    assert [path for path, _ in upstream.seen] == ["http://packages.example/simple/"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path",
    [
        "/cut/",
        "/garbage/",
        "/to/ftp://packages.example/",
        "/to/http://:80:/",
        "/to/http://[::1/",
        "/to//to//to//to//to//to//to/",
    ],
)
def test_what_goes_wrong_is_said_in_a_sentence(upstream: ThreadingHTTPServer, path: str) -> None:
    """Whatever an upstream does, the refusal contains its host and no other part of the URL."""
    server = outgoing()
    url = f"http://bob:secret@localhost:{upstream.server_port}{path}"
    with server.session() as session, pytest.raises(Exception) as failed:  # noqa: PT011 - whatever it is
        session.get(url)

    told = server.refusal(failed.value, url)

    assert type(told) is BadUpstream
    assert "localhost" in told.message
    assert "secret" not in told.message


def test_who_is_silent_and_who_is_not_there() -> None:
    """A silent server is a timeout; a closed port and an unknown name are bad upstreams."""
    server = outgoing()
    with server.session() as session:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            with pytest.raises(Exception) as failed:  # noqa: PT011 - whatever it is
                session.get(url, timeout=0.05)
            assert type(server.refusal(failed.value, url)) is UpstreamTimeout
        for there in (url, "http://nobody.invalid/", f"http://{'x' * 64}.example/"):
            with pytest.raises(Exception) as failed:  # noqa: PT011
                session.get(there)
            assert type(server.refusal(failed.value, there)) is BadUpstream


def test_a_fault_of_our_own_is_no_refusal() -> None:
    """An error that the request did not cause passes through."""
    with pytest.raises(KeyError):
        outgoing().refusal(KeyError("x"), "http://packages.example/")
