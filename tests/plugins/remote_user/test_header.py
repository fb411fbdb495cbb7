"""The header of a listed proxy logs users in; no other client can log in with it."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.sites import Serve
from tests.plugins.remote_user.conftest import OTHER_ADDRESS, PROXY, ask, basic, login_state

from wheelgate import Credentials, Event, RequestInfo, hookimpl
from wheelgate.errors import StartupError
from wheelgate.providers import CredentialExtractor
from wheelgate.testing.server_process import ServerProcess
from wheelgate.testing.site import Site

SENTENCE = "the proxy's header 'x-remote-user' does not contain one user name"


def start_behind_proxy(serve: Serve) -> Site:
    """Start a server behind a proxy that logs people in, with a local user ``local``."""
    site = serve(
        remote_user_from=["10.1.0.0/16", "2001:db8::1"],
        remote_user_groups_header="X-Remote-Groups",
        restrict_modify="root,:admins",
    )
    site.add_user("local")
    return site


@pytest.fixture
def behind(serve: Serve) -> Site:
    """Return a server behind a proxy."""
    return start_behind_proxy(serve)


@pytest.fixture(scope="module")
def lasting(serve_shared: Serve) -> Site:
    """Return a server behind a proxy for all tests that log in nobody except alice and ``local``."""
    return start_behind_proxy(serve_shared)


@pytest.mark.parametrize(
    "address", [PROXY, "::ffff:10.1.2.3", "2001:db8::1"], ids=["IPv4", "IPv4 on a socket for both", "IPv6"]
)
@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("alice", "alice"),
        ("  alice ", "alice"),
        ("jos\u00e9".encode().decode("latin-1"), "jos\u00e9"),
        ("a@b.c", "a@b.c"),
    ],
    ids=["plain", "with spaces around", "UTF-8", "with a realm"],
)
def test_the_header_of_a_proxy_logs_in(behind: Site, sent: str, name: str, address: str) -> None:
    """A request from a proxy is authenticated as the user in the header, who becomes a user of this server."""
    assert login_state(ask(behind, sent, address=address)) == ("ok", name)
    assert behind.request("GET", f"/{name}").status == 200


@pytest.mark.parametrize("forwarded", ["", PROXY, f"{OTHER_ADDRESS}, {PROXY}", f"{PROXY}, {OTHER_ADDRESS}"])
@pytest.mark.parametrize("address", [OTHER_ADDRESS, "127.0.0.1", "2001:db8::2", "::ffff:192.0.2.7", "10.2.0.1"])
def test_the_header_from_other_addresses_is_ignored(lasting: Site, address: str, forwarded: str) -> None:
    """From any other address the header is ignored, whatever forwarding headers the client sends."""
    more = {"X_Forwarded_For": forwarded, "X_Real_IP": PROXY, "Forwarded": f"for={PROXY}"} if forwarded else {}

    answer = ask(lasting, "alice", address=address, **more)

    assert (answer.status, login_state(answer)) == (200, ("noauth", ""))
    assert ask(lasting, "root", "PUT", "/x", {"password": "1234"}, address=address, **more).status == 401


def test_a_trusted_proxy_is_not_a_login_proxy(serve: Serve) -> None:
    """Only the connection's address counts: neither ``--trusted-proxy`` nor an address that such a proxy reports."""
    site = serve(remote_user_from=[PROXY], trusted_proxy=["192.0.2.0/24", PROXY])

    assert login_state(ask(site, "alice", address=OTHER_ADDRESS, X_Forwarded_For=PROXY)) == ("noauth", "")
    assert login_state(ask(site, "alice", address=PROXY, X_Forwarded_For=OTHER_ADDRESS)) == ("ok", "alice")


def test_without_a_proxy_the_header_is_ignored(serve: Serve) -> None:
    """The plugin is off until the settings list a proxy."""
    site = serve()

    assert login_state(ask(site, "alice", address="127.0.0.1")) == ("noauth", "")
    assert ask(site, "a,b", address="127.0.0.1").status == 200


def test_a_header_that_is_ignored_is_logged_once(behind: Site, caplog: pytest.LogCaptureFixture) -> None:
    """The administrator learns of an attempt, but repeating it cannot fill the log."""
    with caplog.at_level(logging.WARNING, "wheelgate.remote_user"):
        for _ in range(3):
            ask(behind, "alice", address=OTHER_ADDRESS)

    (message,) = [record.getMessage() for record in caplog.records]
    assert (OTHER_ADDRESS in message, "--remote-user-from" in message, "alice" in message) == (True, True, False)


@pytest.mark.parametrize(
    "name", ["nobody", "alice", "root", "local", "newcomer"], ids=["unknown", "of the proxy", "root", "local", "new"]
)
@pytest.mark.parametrize("password", ["nonsense", "x-remote-user", "wgs_x", "remote-user", " "])
@pytest.mark.parametrize("address", ["10.1.2.{}", "192.0.2.{}"], ids=["proxy", "other address"])
def test_no_password_counts_as_the_header(
    lasting: Site, numbers: Iterator[int], name: str, password: str, address: str
) -> None:
    """A password in a header or in the body of a login logs in only a user who has that password here."""
    address = address.format(next(numbers) % 256)  # its own, because wrong passwords slow an address down
    assert ask(lasting, "alice", "POST", "/+login", {"user": "alice", "password": ""}).status == 200
    body = {"user": name, "password": password}
    header = basic(name, password)

    assert lasting.request("POST", "/+login", body, address=address).status == 401
    assert ask(lasting, name, "POST", "/+login", body, address=address).status == 401
    for headers in ({"Authorization": header}, {"X-Devpi-Auth": header.removeprefix("Basic ")}):
        assert login_state(lasting.request("GET", "/+api", headers=headers, address=address))[0] != "ok"


class ForgingExtractor(CredentialExtractor):
    """A plugin that makes credentials of the proxy's kind from another header."""

    name = "forging"
    header = "x-forged"
    scheme = ""
    ambient = False

    def __init__(self, *, trusted: bool) -> None:
        self._trusted = trusted

    def extract(self, request: RequestInfo) -> Credentials:
        """Return the name in the header."""
        return Credentials("remote-user", request.headers["x-forged"], "", self.name, trusted=self._trusted)

    @hookimpl
    def wheelgate_credential_extractors(self) -> list[ForgingExtractor]:
        """Provide this extractor."""
        return [self]


@pytest.mark.parametrize("trusted", [False, True])
def test_credentials_of_other_plugins_do_not_count(serve: Serve, trusted: bool) -> None:
    """Credentials of that kind count only if this plugin found them, even right after it found the same name."""
    site = serve(remote_user_from=[PROXY], extra={"forging": ForgingExtractor(trusted=trusted)})
    assert login_state(ask(site, "alice")) == ("ok", "alice")

    assert login_state(site.request("GET", "/+api", headers={"X-Forged": "alice"}, address=PROXY))[0] != "ok"


@pytest.mark.parametrize("name", ["root", "local"])
def test_the_header_never_logs_in_local_users(lasting: Site, name: str) -> None:
    """The proxy cannot log in root, or a user who has a password here; such requests can still read public pages."""
    assert login_state(ask(lasting, name))[0] != "ok"
    assert ask(lasting, name, "PATCH", f"/{name}", {"title": "x"}).status == 401
    assert ask(lasting, name, "POST", "/+login", {"user": name, "password": ""}).status == 401


@pytest.mark.parametrize(
    "name",
    ["alice,bob", "alice,alice", "a b", "alice:x", ":admins", "a/b", "al\tice", "al\x7fice", "\u00ff", "x" * 101],
    ids=ascii,
)
def test_a_malformed_header_is_a_failed_login(lasting: Site, name: str) -> None:
    """Two headers, which arrive joined by a comma, and control characters never fall back to a weaker login."""
    password = {"Authorization": basic("local", "correct horse")}

    assert login_state(ask(lasting, name, **password))[0] != "ok"
    assert ask(lasting, name).status == 200
    assert ask(lasting, name, "PATCH", "/local", {"title": "x"}, **password).status == 401


@pytest.mark.parametrize("name", ["", " "], ids=ascii)
def test_an_empty_header_counts_as_no_header(lasting: Site, name: str) -> None:
    """If the proxy has logged no user in, other credentials in the request count."""
    assert login_state(ask(lasting, name)) == ("noauth", "")
    assert login_state(ask(lasting, name, Authorization=basic("local", "correct horse"))) == ("ok", "local")


def test_a_devpi_login_goes_before_the_header(behind: Site) -> None:
    """A login of ``devpi`` goes before the header; a password that the proxy asked for and passes on comes after it."""
    login = base64.b64encode(":".join(behind.login("local", "correct horse")).encode()).decode()

    assert login_state(ask(behind, "alice", X_Devpi_Auth=login)) == ("ok", "local")
    assert login_state(ask(behind, "alice", Authorization=basic("alice", "of the proxy"))) == ("ok", "alice")


@pytest.mark.parametrize(
    ("groups", "may"),
    [
        ("admins", True),
        ("devs, admins", True),
        ("devs,,bad:name,admins,\x7f", True),
        ("", False),
        ("Admins", False),
        (":admins", False),
        ("devs admins", False),
    ],
)
def test_groups_in_the_header(behind: Site, groups: str, may: bool) -> None:
    """The request has the groups that the proxy lists, without impossible names."""
    answer = ask(behind, "alice", "PUT", "/newcomer", {"password": "1234"}, X_Remote_Groups=groups)

    assert answer.status == (201 if may else 403)


def test_groups_come_from_the_proxy_only(behind: Site) -> None:
    """A list of groups counts neither from another address nor beside another login."""
    local = behind.login("local", "correct horse")
    create = ("PUT", "/newcomer", {"password": "1234"})
    groups = {"X-Remote-Groups": "admins"}

    assert ask(behind, "alice", *create, address=OTHER_ADDRESS, X_Remote_Groups="admins").status == 401
    assert behind.request(*create, auth=local, headers=groups, address=PROXY).status == 403


def test_a_login_through_the_proxy(behind: Site) -> None:
    """A login with an empty password trusts the header: it creates the user, who can then create indices."""
    answer = ask(behind, "alice", "POST", "/+login", {"user": "alice", "password": ""})
    session = ("alice", answer.result["password"])

    assert login_state(behind.request("GET", "/+api", auth=session, address=OTHER_ADDRESS)) == ("ok", "alice")
    assert behind.request("GET", "/alice").status == 200
    assert ask(behind, "alice", "PUT", "/alice/dev", {}, X_Remote_Groups="admins").status == 200
    assert behind.request("PATCH", "/alice", {"password": "of my own"}, auth=session).status in (403, 409)
    assert ask(behind, "alice", "POST", "/+login", {"user": "bob", "password": ""}).status == 401


def test_cross_site_requests_change_nothing(behind: Site) -> None:
    """The proxy adds its header to every request of a browser: changes and logins that another site causes get 403."""
    foreign = {"Sec_Fetch_Site": "cross-site", "X_Remote_Groups": "admins"}

    assert ask(behind, "alice", "PUT", "/newcomer", {"password": "1234"}, **foreign).status == 403
    assert ask(behind, "alice", "POST", "/+login", {"user": "alice", "password": ""}, **foreign).status == 403
    assert behind.request("GET", "/newcomer").status == 404


def test_wrong_passwords_do_not_slow_the_header(behind: Site) -> None:
    """All requests come from the proxy's address: wrong passwords do not slow users whom the header logs in."""
    for _ in range(7):
        behind.request("POST", "/+login", {"user": "alice", "password": "wrong"}, address=PROXY)

    assert login_state(ask(behind, "alice")) == ("ok", "alice")
    assert behind.request("POST", "/+login", {"user": "alice", "password": "wrong"}, address=PROXY).status == 429


def test_a_first_login_is_an_event(serve: Serve) -> None:
    """Plugins get events about the new user and the logins."""
    events: list[str] = []

    class EventRecorder:
        @hookimpl
        def wheelgate_on_event(self, event: Event) -> None:
            events.append(f"{event.name} {event.subject} {event.actor}")

    site = serve(remote_user_from=[PROXY], extra={"recorder": EventRecorder()})
    for _ in range(2):
        ask(site, "alice", "POST", "/+login", {"user": "alice", "password": ""})
    serve.stop()

    assert events == ["UserCreated alice alice", "LoginSucceeded alice alice", "LoginSucceeded alice alice"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"remote_user_from": ["0.0.0.0/0"]}, "--remote-user-from: expected the network of the proxy alone"),
        ({"remote_user_from": ["::/0"]}, "--remote-user-from: expected the network of the proxy alone"),
        ({"remote_user_from": ["proxy"]}, "--remote-user-from: expected an address or a network"),
        ({"remote_user_header": "X_Remote_User"}, "--remote-user-header: expected the name of a header"),
        ({"remote_user_header": "Authorization"}, "--remote-user-header: expected the name of a header"),
        ({"remote_user_groups_header": "X-Devpi-Auth"}, "--remote-user-groups-header: expected the name of a header"),
    ],
    ids=["all of IPv4", "all of IPv6", "host name", "underscores", "reserved header", "reserved header for groups"],
)
def test_dangerous_settings_stop_the_start(tmp_path: Path, options: dict[str, Any], sentence: str) -> None:
    """A setting that would let any client act as any user stops the start with the reason."""
    with pytest.raises(StartupError, match=sentence):
        Site(tmp_path / "server", **options)


def test_the_header_can_have_another_name(serve: Serve) -> None:
    """Only the configured header counts."""
    site = serve(remote_user_from=[PROXY], remote_user_header="X-Forwarded-User")

    assert login_state(ask(site, "alice", X_Forwarded_User="bob")) == ("ok", "bob")
    assert login_state(ask(site, "alice")) == ("noauth", "")


@pytest.mark.slow
@pytest.mark.parametrize(("network", "state"), [("127.0.0.0/8", "ok"), ("10.0.0.0/8", "noauth")])
def test_on_a_real_connection(tmp_path: Path, network: str, state: str) -> None:
    """The address of a real connection counts, whatever headers the client sends."""
    options = ("--remote-user-from", network, "--root-passwd", "a password of root")
    with ServerProcess(tmp_path / "server", *options) as server:
        answer = server.request("GET", "/+api", headers={"X-Remote-User": "alice", "X-Forwarded-For": "10.1.2.3"})

    assert answer.result["authstatus"][0] == state
