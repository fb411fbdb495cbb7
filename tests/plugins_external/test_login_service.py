"""The plugin for a login service over HTTP, from the page for authors, against a real service on this machine."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from tests.helpers.sites import template  # noqa: F401
from tests.plugins_external.conftest import Load

from wheelgate import Credentials
from wheelgate.testing.authenticators import AuthenticatorCase, AuthenticatorContract
from wheelgate.testing.group_sources import GroupSourceCase, GroupSourceContract
from wheelgate.testing.site import Site

PASSWORD = "cobol"
GRACE = {"user": "grace", "email": "grace@mail.example", "groups": ["admins"]}


class LoginHost:
    """A login service that ignores the case of names; tests change its people and its faults."""

    def __init__(self) -> None:
        self.people = {"grace": GRACE}
        self.fault: Callable[[BaseHTTPRequestHandler], object] | None = None
        self.url = ""
        self.released = threading.Event()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a request."""
        given = json.loads(request.rfile.read(int(request.headers.get("Content-Length") or 0)) or b"{}")
        if self.fault is not None:
            self.fault(request)
            return
        name = given.get("user") or unquote(request.path.removeprefix("/people/"))
        person = self.people.get(name.lower())
        if person is None:
            send(request, 404)
        elif request.path == "/login" and given["password"] != PASSWORD:
            send(request, 401)
        else:
            send(request, 200, json.dumps(person).encode())


def send(request: BaseHTTPRequestHandler, status: int, content: bytes = b"{}", **headers: str) -> None:
    """Send an answer."""
    request.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(content)


@pytest.fixture
def host() -> Iterator[LoginHost]:
    """Run the service."""
    service = LoginHost()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.answer(self)

        def do_POST(self) -> None:
            service.answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64  # with the default of 5, simultaneous connections wait for a second

    with Server(("127.0.0.1", 0), Handler) as server, ExitStack() as ending:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        ending.callback(thread.join)
        ending.callback(server.shutdown)
        ending.callback(service.released.set)
        service.url = f"http://127.0.0.1:{server.server_port}"
        yield service


@pytest.fixture
def plugin(load: Load) -> Any:
    """Return the plugin."""
    return load("login_service")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a server without the plugin, for the contracts."""
    with Site(tmp_path_factory.mktemp("site") / "server") as site:
        yield site


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:  # noqa: F811
    """Return a copy of the folder of a server that was started once."""
    return shutil.copytree(template, tmp_path / "server")


@pytest.fixture
def site(folder: Path, host: LoginHost, plugin: Any) -> Iterator[Site]:
    """Return a server with the plugin."""
    options = {"login_service_url": host.url, "restrict_modify": "root,:admins"}
    with Site(folder, prepared=True, extra={"login_service": plugin}, **options) as site:
        yield site


def break_down(host: LoginHost) -> None:
    """Let the service answer 500."""
    host.fault = lambda request: send(request, 500)


class TestAuthenticator(AuthenticatorContract):
    """What every authenticator promises."""

    @pytest.fixture
    def case(self, elsewhere: Site, host: LoginHost, plugin: Any) -> AuthenticatorCase:
        """Return the authenticator, and a person whom the service knows."""
        return AuthenticatorCase(
            plugin.LoginService(elsewhere.server, host.url),
            Credentials("password", "grace", PASSWORD, "test"),
            start_outage=lambda: break_down(host),
            remove_user=host.people.clear,
        )


class TestGroups(GroupSourceContract):
    """What every group source promises."""

    @pytest.fixture
    def case(self, elsewhere: Site, host: LoginHost, plugin: Any) -> GroupSourceCase:
        """Return the group source, and a person whom the service knows."""
        service = plugin.LoginService(elsewhere.server, host.url)
        return GroupSourceCase(service, "grace", frozenset({"admins"}), start_outage=lambda: break_down(host))


def log_in(site: Site, name: str = "grace", password: str = PASSWORD) -> int:
    """Log in, and return the status."""
    return site.request("POST", "/+login", {"user": name, "password": password}).status


def test_people_log_in_however_they_type_their_names(site: Site) -> None:
    """The user has the service's spelling and email, and the rights of the service's groups."""
    grace = site.login("GRACE", PASSWORD)

    assert site.request("GET", "/grace").result["email"] == "grace@mail.example"
    assert site.request("PUT", "/newcomer", {"password": "correct horse"}, auth=grace).status == 201
    assert site.request("GET", "/").result.keys() == {"root", "grace", "newcomer"}
    assert [log_in(site, "grace", "wrong"), log_in(site, "nobody")] == [401, 401]


FAULTS: dict[str, tuple[Callable[[BaseHTTPRequestHandler], object], str]] = {
    "an error": (lambda request: send(request, 502), "it answers 502"),
    "a redirect": (lambda request: send(request, 307, Location="http://127.0.0.1:9/"), "it answers 307"),
    "no JSON": (lambda request: send(request, 200, b"<html>"), "it raised JSONDecodeError: Expecting value"),
    "another form": (lambda request: send(request, 200, b"[]"), "it raised TypeError: list indices"),
    "no name": (lambda request: send(request, 200), "it raised KeyError: 'user'"),
    "without end": (lambda request: send(request, 200, b"x" * 10**6), "its answer is too long"),
    "no HTTP": (lambda request: request.wfile.write(b"hello\r\n\r\n"), "'127.0.0.1' cannot be reached, or closed"),
}


@pytest.mark.parametrize(("fault", "reason"), FAULTS.values(), ids=FAULTS)
def test_an_outage_is_no_wrong_password(
    site: Site, host: LoginHost, caplog: pytest.LogCaptureFixture, fault: Callable[..., None], reason: str
) -> None:
    """Whatever the service does wrong, its people get 503, local users log in, and the log says why."""
    host.fault = fault

    assert log_in(site) == 503
    assert log_in(site, "root", "") == 200
    assert f"authenticator 'login_service' is unavailable: {reason}" in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.slow
def test_a_slow_service_is_an_outage(
    site: Site, host: LoginHost, plugin: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The plugin gives up before the server does, so that the reason is in the log."""
    monkeypatch.setattr(plugin, "TIMEOUT_SECONDS", (1.0, 0.1))
    host.fault = lambda request: host.released.wait(30)

    assert log_in(site) == 503
    assert "'127.0.0.1' does not answer in time" in caplog.text


def test_the_time_of_the_plugin_is_shorter_than_the_servers(plugin: Any) -> None:
    """The timeouts of the plugin add up to less than the five seconds that the page names."""
    assert sum(plugin.TIMEOUT_SECONDS) < 5


@pytest.mark.parametrize(("allowed", "status"), [("public", 503), ("127.0.0.0/8", 200)])
def test_only_allowed_addresses_are_asked(
    folder: Path, host: LoginHost, plugin: Any, caplog: pytest.LogCaptureFixture, allowed: str, status: int
) -> None:
    """The service may be at a private address only if ``--allow-upstream`` names its network; the log says so."""
    options = {"login_service_url": host.url, "allow_upstream": [allowed]}
    with Site(folder, prepared=True, extra={"login_service": plugin}, **options) as site:
        assert log_in(site) == status

    assert ("--allow-upstream" in caplog.text) is (status == 503)
