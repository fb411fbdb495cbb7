"""Servers that are down, other web servers, and hostile servers."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.client.conftest import Devpi, FakeServer, Response

from wheelgate.testing.server_process import free_port
from wheelgate_client import VERSION

KEYS = [
    "login",
    "index",
    "simpleindex",
    "features",
    "authstatus",
    "password",
    "expiration",
    "indexes",
    "bases",
    "title",
]

FROM_PROXY = "this comes from a proxy in front of the server, or from another web server"
PROXY_IS_UP = f"{FROM_PROXY}: is the server behind it running? Try again later, or ask its administrator"
HTML = {"Content-Type": "text/html", "X-DEVPI-API-VERSION": ""}


@pytest.fixture
def used(devpi: Devpi, fake_server: FakeServer) -> Devpi:
    """Use a fake index server and log in."""
    fake_server.act_as_index_server()
    devpi("use", fake_server.url).ok()
    devpi("login", "alice", "--password", "x").ok()
    return devpi


@pytest.mark.parametrize("path", ["", "/root/pypi"])
def test_a_server_that_is_down_is_reported(devpi: Devpi, path: str) -> None:
    """One line names the URL, the reason, and the things to check; nothing is stored."""
    url = f"http://127.0.0.1:{free_port()}{path}"

    outcome = devpi("use", url).fails()

    assert outcome.err == (
        f"could not connect to '{url}/+api': Connection refused; is the server running, and is the URL right?\n"
    )
    assert not devpi.clientdir.exists()


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "..."])
def test_an_invalid_host_name_is_reported(devpi: Devpi, host: str) -> None:
    """A host name with invalid syntax leads to one line too."""
    outcome = devpi("use", f"http://{host}/").fails()

    assert outcome.err.startswith(f"could not connect to 'http://{host}/+api': ")
    assert outcome.err.count("\n") == 1


def test_an_unknown_host_name_is_reported(devpi: Devpi) -> None:
    """An unknown host name leads to one line too."""
    outcome = devpi("use", "http://no-such-host.invalid/").fails()

    assert outcome.err.startswith("could not connect to 'http://no-such-host.invalid/+api': ")
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["use"], ["user", "-l"], ["user", "-c", "x", "password=y"], ["index", "a/b"]])
def test_a_server_that_went_down_changes_nothing(used: Devpi, fake_server: FakeServer, arguments: list[str]) -> None:
    """Commands fail in one line, and the login stays stored until the server is back."""
    before = {path.name: path.read_bytes() for path in used.clientdir.iterdir()}
    port = free_port()
    for path in used.clientdir.glob("*.json"):
        path.write_text(path.read_text().replace(fake_server.url, f"http://127.0.0.1:{port}"))
    moved = {path.name: path.read_bytes() for path in used.clientdir.iterdir()}

    outcome = used(*arguments).fails()

    assert outcome.err.count("\n") == 1
    assert "Connection refused" in outcome.err
    assert {path.name: path.read_bytes() for path in used.clientdir.iterdir()} == moved != before


def test_a_silent_server_times_out(devpi: Devpi, fake_server: FakeServer) -> None:
    """``--timeout`` limits the wait."""
    fake_server.responses["/+api"] = Response(hangs=True)

    outcome = devpi("--timeout", "0.2", "use", fake_server.url).fails()

    assert outcome.err.startswith(f"could not connect to '{fake_server.url}/+api': no answer within 0.2 seconds; ")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(
            Response(b"<h1>It works</h1>", 200, HTML), "it sent 200 OK with content of type text/html", id="page"
        ),
        pytest.param(
            Response(b"<h1>No</h1>", 404, HTML), "it sent 404 Not Found with content of type text/", id="none"
        ),
        pytest.param(Response(b"", 204, HTML), "it sent 204 No Content with content of type text/html", id="nothing"),
        pytest.param(Response(b"{'a': 1"), "it sent no JSON object", id="half"),
        pytest.param(Response(b"[" * 100_000), "it sent no JSON object", id="deep"),
        pytest.param(Response(["a"]), "it sent no JSON object", id="list"),
        pytest.param(Response(b"\xff\xfe"), "it sent no JSON object", id="bytes"),
        pytest.param(Response({"result": {}}), "it sent None instead of 'apiconfig'", id="no type"),
        pytest.param(Response({"result": {}, "type": "x"}), "it sent 'x' instead of 'apiconfig'", id="other type"),
        pytest.param(Response({"result": [], "type": "apiconfig"}), "it sent 'apiconfig' instead of", id="no object"),
        pytest.param(Response({"result": {}, "type": "apiconfig"}), "it does not say where to log in", id="no login"),
        pytest.param(
            Response({"result": {"login": "ftp://x"}, "type": "apiconfig"}), "its 'login' is not a URL", id="odd login"
        ),
        pytest.param(
            Response({"result": {"login": "http://x/+login", "index": 5}, "type": "apiconfig"}),
            "its 'index' is",
            id="odd index",
        ),
    ],
)
def test_other_web_servers_are_reported(devpi: Devpi, fake_server: FakeServer, answer: Response, reason: str) -> None:
    """One line describes the response; nothing is stored."""
    fake_server.responses["/+api"] = answer

    outcome = devpi("use", fake_server.url).fails()

    assert outcome.err.startswith(f"'{fake_server.url}/+api' is not an index server: {reason}")
    assert outcome.err.endswith("; check the URL given to 'devpi use'\n")
    assert outcome.err.count("\n") == 1
    assert not devpi.clientdir.exists()


@pytest.mark.parametrize(
    ("status", "content", "headers", "answer"),
    [
        pytest.param(500, b"<h1>Oops</h1>", HTML, f"500 Internal Server Error ({PROXY_IS_UP})", id="crash"),
        pytest.param(502, b"<h1>Oops</h1>", HTML, f"502 Bad Gateway ({PROXY_IS_UP})", id="proxy"),
        pytest.param(
            400,
            b"sent to HTTPS port",
            HTML,
            "400 Bad Request (this port speaks TLS: type the URL with {tls})",
            id="TLS",
        ),
        pytest.param(
            401,
            b"no",
            HTML,
            "401 Unauthorized (a proxy in front of the server asks for a password: type 'devpi use {basic}')",
            id="basic authentication",
        ),
        pytest.param(
            503, {"message": "no authenticator"}, {}, "503 Service Unavailable: no authenticator", id="backend"
        ),
        pytest.param(403, b"no", HTML, f"403 Forbidden ({FROM_PROXY}: ask its administrator)", id="page"),
        pytest.param(400, {"message": "two\n\n\nlines "}, {}, "400 Bad Request: two lines", id="lines"),
        pytest.param(400, {"message": ["odd"]}, {}, "400 Bad Request", id="no text"),
        pytest.param(400, {"message": "\x1b[31mred\u202e"}, {}, r"400 Bad Request: \x1b[31mred\u202e", id="escapes"),
        pytest.param(
            418,
            {"message": "tea"},
            {"Content-Type": "application/json; charset=utf-8"},
            "418 I'm a Teapot: tea",
            id="odd",
        ),
    ],
)
def test_a_refusal_takes_two_lines(
    used: Devpi,
    fake_server: FakeServer,
    status: int,
    content: bytes | dict[str, Any],
    headers: dict[str, str],
    answer: str,
) -> None:
    """The lines show the request, then status and message without control characters, also from a proxy."""
    fake_server.responses["/"] = Response(content, status, headers)

    host = fake_server.url.removeprefix("http://")
    answer = answer.replace("{tls}", f"https://{host}").replace("{basic}", f"http://USER:PASSWORD@{host}")
    assert used("user", "-l").fails().err == f"GET {fake_server.url}/\n{answer}\n"


@pytest.mark.parametrize(
    ("status", "answer"), [(404, "404 Not Found"), (599, "599")], ids=["known status", "unknown status"]
)
def test_a_server_may_omit_the_reason_phrase(used: Devpi, fake_server: FakeServer, status: int, answer: str) -> None:
    """Without a reason phrase the standard one is shown, if there is one."""
    fake_server.responses["/"] = Response({}, status, phrase="")

    assert used("user", "-l").fails().err == f"GET {fake_server.url}/\n{answer}\n"


@pytest.mark.slow
def test_an_endless_response_is_refused(used: Devpi, fake_server: FakeServer) -> None:
    """A server cannot fill the memory."""
    size = 64 * 1024 * 1024 + 1
    fake_server.responses["/alice"] = Response(gzip.compress(b" " * size, 1), 200, {"Content-Encoding": "gzip"})

    assert f"the response is longer than {size - 1} bytes" in used("user", "alice").fails().err


def test_another_version_of_the_protocol_is_refused(devpi: Devpi, fake_server: FakeServer) -> None:
    """The client does not use a server with another version of the protocol."""
    fake_server.act_as_index_server()
    api = fake_server.responses["/+api"].content
    fake_server.responses["/+api"] = Response(api, headers={"X-DEVPI-API-VERSION": "3"})

    outcome = devpi("use", fake_server.url).fails()

    assert "got a reply with API-VERSION 3, acceptable are: 2; install a client as new as the server\n" in outcome.err
    assert not devpi.clientdir.exists()


def test_a_missing_version_of_the_protocol_is_warned_about_once(used: Devpi, fake_server: FakeServer) -> None:
    """The client uses a server that does not say its version."""
    answer = Response({"result": {"username": "alice"}, "type": "userconfig"}, headers={"X-DEVPI-API-VERSION": ""})
    fake_server.responses["/alice"] = answer

    outcome = used("user", "-m", "alice", "title=T")

    url = f"{fake_server.url}/alice"
    assert (outcome.code, outcome.err) == (0, f"warning: '{url}' does not say which version of the API it speaks\n")


@pytest.mark.parametrize(
    ("arguments", "method"),
    [(["user", "alice"], "GET"), (["user", "-c", "alice", "password=secret"], "PUT")],
    ids=["GET", "PUT"],
)
def test_nothing_is_sent_to_another_server(
    used: Devpi, fake_server: FakeServer, arguments: list[str], method: str
) -> None:
    """The client reports a redirect to another server and sends no request there."""
    elsewhere = f"http://u:p@localhost:{free_port()}/alice"
    fake_server.responses["/alice"] = Response({}, 307, {"Location": elsewhere})

    outcome = used(*arguments).fails()

    assert f"'{fake_server.url}/alice' redirects to another server, 'http://u:****@localhost:" in outcome.err
    assert fake_server.requests[-1].method == method
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize("location", ["http://[", "http://127.0.0.1:99999/", "ftp://127.0.0.1/", "//"])
def test_a_redirect_to_an_invalid_url_is_reported(used: Devpi, fake_server: FakeServer, location: str) -> None:
    """The client reports a redirect to an invalid URL."""
    fake_server.responses["/alice"] = Response({}, 302, {"Location": location})

    assert used("user", "alice").fails().err.count("\n") == 1


def test_a_redirect_on_the_same_server_is_followed(used: Devpi, fake_server: FakeServer) -> None:
    """The request to the new URL contains the login."""
    fake_server.responses["/alice"] = Response({}, 302, {"Location": "/people/alice"})
    fake_server.responses["/people/alice"] = Response({"result": {"title": "T"}, "type": "userconfig"})

    assert used("user", "alice").ok().out == f"{fake_server.url}/alice:\n  title=T\n"
    assert "X-Devpi-Auth" in fake_server.requests[-1].headers


def test_undecodable_arguments_are_sent_unchanged(used: Devpi, fake_server: FakeServer) -> None:
    """Bytes that are invalid in the user's encoding reach the server, also in the name of a user."""
    used("login", "\udcff", "--password", "\udcfe").ok()

    assert used("user").fails().err == f"GET {fake_server.url}/%FF\n404 Not Found: nothing here\n"
    assert fake_server.requests[-1].headers["X-Devpi-Auth"] == "/zphLXRva2Vu"


def test_a_change_does_not_follow_a_302(used: Devpi, fake_server: FakeServer) -> None:
    """A 302 would turn the change into a GET; the client reports it instead."""
    fake_server.responses["/alice"] = Response({}, 302, {"Location": "/people/alice"})

    outcome = used("user", "-c", "alice", "password=secret").fails()

    assert "has moved to" in outcome.err
    assert [request.path for request in fake_server.requests].count("/people/alice") == 0


def test_a_redirect_loop_ends(used: Devpi, fake_server: FakeServer) -> None:
    """The client gives up after five redirects."""
    fake_server.responses["/alice"] = Response({}, 302, {"Location": "/alice"})

    assert "redirects more than 5 times" in used("user", "alice").fails().err


@pytest.mark.parametrize(
    "result",
    [{"password": 5, "expiration": 1}, {"password": "x"}, {}, None, "x"],
    ids=["number", "no time", "empty", "null", "text"],
)
def test_a_login_response_without_a_token_is_refused(
    used: Devpi, fake_server: FakeServer, result: dict[str, Any] | str | None
) -> None:
    """Nothing is stored if the response contains no token."""
    before = used.state("auth.json")
    fake_server.responses["/+login"] = Response({"result": result, "type": "proxyauth"})

    assert "it sent no token" in used("login", "bob", "--password", "x").fails().err
    assert used.state("auth.json") == before


def test_control_characters_from_a_server_are_escaped(used: Devpi, fake_server: FakeServer) -> None:
    """Control characters in names and values do not reach the terminal."""
    users = {
        "none": {"indexes": 5},
        "\x1b]0;title\x07": {"indexes": {"a\nb": {"bases": "\x9b1m", "volatile": None}, "odd": 5}},
        "odd": "text",
    }
    fake_server.responses["/"] = Response({"result": users, "type": "list:userconfig"})

    assert used("user", "-l").ok().out == "odd\nnone\n\\x1b]0;title\\x07\n"
    listed = used("use", "-l").ok().out
    assert listed.startswith("\\x1b]0;title\\x07/a\\nb ")
    assert "bases=\\x9b1m " in listed


def test_a_login_request_does_not_contain_the_stored_login(used: Devpi, fake_server: FakeServer) -> None:
    """Only the password is sent, not the stored login."""
    used("login", "bob", "--password", "x").ok()

    assert fake_server.requests[-1].path == "/+login"
    assert "X-Devpi-Auth" not in fake_server.requests[-1].headers


def test_projects_are_not_shown_as_a_setting(used: Devpi, fake_server: FakeServer) -> None:
    """The projects of an index are not printed, even if a server sends them."""
    fake_server.respond("/a/dev?no_projects=", "indexconfig", {"type": "stage", "projects": ["x", "y"]})

    assert used("index", "a/dev").ok().out == f"{fake_server.url}/a/dev:\n  type=stage\n"


def test_values_are_shown_as_users_type_them(used: Devpi, fake_server: FakeServer) -> None:
    """Lists are shown with commas, objects as JSON."""
    config = {"username": "alice", "indexes": {}, "title": "T", "custom_data": {"a": [1, "ü"]}, "groups": ["x", "y"]}
    fake_server.respond("/alice", "userconfig", config)

    shown = used("user", "alice").ok().out.splitlines()[1:]

    assert shown == ['  custom_data={"a": [1, "\\u00fc"]}', "  groups=x,y", "  title=T"]


def test_basic_credentials_are_stored_and_sent(devpi: Devpi, fake_server: FakeServer) -> None:
    """Credentials in a URL are announced, stored for that server, and never shown."""
    fake_server.act_as_index_server()
    host = fake_server.url.removeprefix("http://")

    outcome = devpi("use", f"http://u:p%40ss@{host}/")
    again = devpi("use", fake_server.url)

    assert outcome.err == (f"Using basic authentication for 'http://{host}/'.\nThe password is stored unencrypted!\n")
    assert again.err.startswith(f"Using existing basic auth for 'http://{host}/'.\n")
    assert devpi.state("auth.json") == {"basic_auth": {f"http://{host}/": ["u", "p@ss"]}}
    assert {request.headers.get("Authorization") for request in fake_server.requests} == {"Basic dTpwQHNz"}
    assert "p@ss" not in (devpi.clientdir / "current.json").read_text() + outcome.out


RESULTS = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.sampled_from(["", "ok", "http://", "http://h/+login", "\ud800", "\x1b"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*KEYS, "alice"]), inner),
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        pytest.param(["use"], "apiconfig", id="use"),
        pytest.param(["use", "-l"], "list:userconfig", id="use -l"),
        pytest.param(["user", "-l"], "list:userconfig", id="user -l"),
        pytest.param(["user", "alice"], "userconfig", id="user"),
        pytest.param(["index", "-l", "alice"], "userconfig", id="index -l"),
        pytest.param(["index", "alice/dev"], "indexconfig", id="index"),
        pytest.param(["login", "alice", "--password", "x"], "proxyauth", id="login"),
        pytest.param(["getjson", "/"], "anything", id="getjson"),
    ],
)
@given(
    result=st.dictionaries(st.sampled_from(KEYS), RESULTS) | RESULTS,
    message=RESULTS,
    status=st.sampled_from([200, 400]),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_response_ends_in_a_traceback(
    used: Devpi, fake_server: FakeServer, arguments: list[str], kind: str, result: object, message: object, status: int
) -> None:
    """Every JSON value at every place leads to an exit code, and to a message if that is not 0."""
    answer = Response({"result": result, "type": kind, "message": message}, status)
    for path in ("/", "/+api", "/+login", "/alice", "/alice/dev?no_projects="):
        fake_server.responses[path] = answer

    outcome = used(*arguments)

    assert (outcome.code, bool(outcome.err)) in {(0, False), (0, True), (1, True)}
    fake_server.act_as_index_server()
    used("use", fake_server.url)


def test_netrc_logins_are_not_sent(devpi: Devpi, fake_server: FakeServer) -> None:
    """The client ignores logins for the host in ``~/.netrc``."""
    fake_server.act_as_index_server()
    (devpi.home / ".netrc").write_text("machine 127.0.0.1 login bob password secret\n")

    devpi("use", fake_server.url).ok()

    assert "Authorization" not in fake_server.requests[0].headers


def test_requests_identify_the_client(devpi: Devpi, fake_server: FakeServer) -> None:
    """The headers identify the client and say that it wants JSON."""
    fake_server.act_as_index_server()

    devpi("use", fake_server.url).ok()

    headers = fake_server.requests[0].headers
    assert headers["User-Agent"].startswith(f"devpi/{VERSION} (wheelgate; py3")
    assert (headers["Accept"], headers["Content-Type"]) == ("application/json", "application/json")


def test_an_expired_login_does_not_lock_out(used: Devpi, fake_server: FakeServer) -> None:
    """If a server refuses an expired login everything, the client repeats the request without the login."""
    api = fake_server.responses["/+api"]
    fake_server.responses["/+api"] = Response({"message": "expired"}, 403)

    assert "403 Forbidden: expired" in used("use").fails().err
    sent = [request.headers for request in fake_server.requests if request.path == "/+api"]
    assert ["X-Devpi-Auth" in headers for headers in sent[-2:]] == [True, False]
    fake_server.responses["/+api"] = api
    assert "(not logged in)" in used("use").out
