"""The log: one line per entry, whatever a client puts into a name, and no secret."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterable, Iterator

import pytest
from tests.helpers.sites import Serve

from wheelgate import (
    Credentials,
    Event,
    Ok,
    Outcome,
    Principal,
    Reject,
    RequestInfo,
    Server,
    Unavailable,
    User,
    hookimpl,
)
from wheelgate.logs import OneLineFormatter, configure_logging
from wheelgate.providers import Authenticator, Route, RouteRequest, RouteResponse
from wheelgate.testing.site import Site

ROOT = ("root", "")
CANARY = "swordfish"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Return the log in the format of the server."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(OneLineFormatter())
    logger = logging.getLogger("wheelgate")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield text
    logger.setLevel(level)
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    "reason",
    [
        "a\n2026-01-01 00:00:00 info wheelgate: forged",
        "a\r\nforged",
        "a\x0bforged",
        "a\x1b[2Kforged",
        "a\x85forged",
        "a\u2028forged",
        "a\u2029forged",
        "a\u202eforged",
        "a\u2066forged",
    ],
    ids=ascii,
)
def test_no_text_can_forge_an_entry(serve_shared: Serve, log: io.StringIO, reason: str) -> None:
    """A text with line breaks, escape sequences or direction marks is escaped and stays in one line."""
    site = serve_shared(extra={"rejecting": Rejecting(reason)})
    site.request("GET", "/+api", address="192.0.2.1")  # the first request from elsewhere has an entry of its own
    log.truncate(log.seek(0))

    site.request("POST", "/+login", {"user": "nobody", "password": "x"}, address="192.0.2.1")

    rejected, failed = log.getvalue().splitlines()
    assert " info wheelgate.identity[" in rejected
    assert rejected.endswith(f": {ascii(reason)[1:-1]}")
    assert " warning wheelgate.identity[" in failed


@pytest.mark.parametrize("name", ["MyP4ssw0rd!", "Root", "a\nb", "é" * 50], ids=ascii)
@pytest.mark.parametrize("way", ["login", "header", "locked", "rejected"])
def test_a_name_that_no_user_has_is_not_logged(serve_shared: Serve, log: io.StringIO, name: str, way: str) -> None:
    """In place of a name that no user has, which may be a password, log and events show the same digits each time."""
    listener = Listener()
    site = serve_shared(extra={"listener": listener, **({"rejecting": Rejecting("no")} if way == "rejected" else {})})
    log.truncate(log.seek(0))

    for _ in range(7 if way == "locked" else 2):
        if way == "header":
            site.request("PATCH", "/root", {}, auth=(name, "x"), address="192.0.2.1")
        else:
            site.request("POST", "/+login", {"user": name, "password": "x"}, address="192.0.2.1")
    serve_shared.stop()

    text = log.getvalue() + repr(listener.subjects)
    assert name not in text
    assert ascii(name)[1:-1] not in text
    shown = set(re.findall("unknown:[0-9a-f]{8}(?![0-9a-f])", text))
    assert len(shown) == (0 if way == "header" and not name.isprintable() else 1)
    assert set(listener.subjects) <= shown


class Rejecting(Authenticator):
    """A plugin that rejects every login."""

    name = "rejecting"
    accepts = frozenset({"password"})
    local = False

    def __init__(self, reason: str) -> None:
        self._reason = reason

    @hookimpl
    def wheelgate_authenticators(self) -> Iterable[Authenticator]:
        """Provide itself."""
        return [self]

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Reject the credentials."""
        return Reject(self._reason)


class Listener:
    """A plugin that remembers the subjects of events."""

    def __init__(self) -> None:
        self.subjects: list[str] = []

    @hookimpl
    def wheelgate_on_event(self, server: Server, event: Event) -> None:
        """Remember the subject."""
        self.subjects.append(event.subject)


def test_the_digits_depend_on_the_secret(serve: Serve, log: io.StringIO) -> None:
    """Nobody can find the name by trying, because the digits of another server are others."""
    for number in range(2):
        site = serve(f"server{number}")
        (site.config.serverdir / ".secret").write_text(f"{number}" + "abcdefghijklmnopqrstuvwxyz0123456789")
        serve(f"server{number}").request("POST", "/+login", {"user": "MyP4ssw0rd!", "password": "x"})

    assert len(set(re.findall("unknown:[0-9a-f]{8}", log.getvalue()))) == 2


def test_a_fault_says_where_and_no_value(serve: Serve, log: io.StringIO) -> None:
    """An exception of a plugin is one line with its masked text and its place in the code."""

    def handler(request: RouteRequest) -> RouteResponse:
        raise KeyError(f"token={CANARY}")

    site = serve(extra={"faulty": Faulty(handler)})
    log.truncate(0)

    assert site.request("GET", "/+x/faulty/x%0ay").status == 500

    lines = log.getvalue().strip("\0").splitlines()
    assert len(lines) == 1
    assert " error wheelgate.http[" in lines[0]
    assert "]: fault on GET /+x/faulty/x\\ny: KeyError: 'token=***, at tests/core/test_logs.py:" in lines[0]
    assert CANARY not in log.getvalue()


class Faulty:
    """A plugin with one address."""

    def __init__(self, handler: object) -> None:
        self._handler = handler

    @hookimpl
    def wheelgate_routes(self) -> Iterable[Route]:
        """Provide the address."""
        return [Route("GET", "/{name}", self._handler, public=True)]  # type: ignore[arg-type]


def test_failed_logins_are_logged_with_user_and_address(shared: Site, log: io.StringIO) -> None:
    """The log shows the user and the address of every failed login, by login and by header."""
    shared.request("POST", "/+login", {"user": "root", "password": "x"}, address="192.0.2.1")
    shared.request("PATCH", "/root", {}, auth=("root", "x"), address="192.0.2.2")

    assert "failed login of user 'root' from 192.0.2.1" in log.getvalue()
    assert "failed login of user 'root' from 192.0.2.2" in log.getvalue()


def test_refused_rights_are_logged(shared: Site, log: io.StringIO) -> None:
    """The log shows each refusal with its reason and the plugin that gave it."""
    alice = shared.add_user("alice")

    shared.request("DELETE", "/root", auth=alice)

    assert "'alice' has no permission to delete user root: only root may (core)" in log.getvalue()


class Leaky(Authenticator):
    """A plugin that repeats its arguments in exceptions and answers."""

    name = "leaky"
    accepts = frozenset({"password"})
    local = False

    @hookimpl
    def wheelgate_authenticators(self) -> Iterable[Authenticator]:
        """Provide itself."""
        return [self]

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Fail in the way that the name says."""
        match credentials.username:
            case "raise":
                raise ValueError(credentials.secret)
            case "unavailable":
                return Unavailable("maintenance")
            case "reject":
                return Reject("has left")
            case "nonsense":
                return credentials.secret  # type: ignore[return-value]
            case _:
                return Ok(credentials.username)

    @hookimpl
    def wheelgate_check_permission(self, principal: Principal, permission: str) -> None:
        """Fail for one permission."""
        if permission == "index_delete":
            raise ValueError(f"password={CANARY}")


def test_no_secret_in_answers_or_log(serve: Serve, log: io.StringIO) -> None:
    """In logins, changes, refusals and failures no password and no token appears in a response or in the log."""
    site = serve(extra={"leaky": Leaky()}, root_passwd=f"{CANARY}-root")
    tokens = [site.add_user(f"user{number}", f"{CANARY}-{number}")[1] for number in range(2)]
    tokens.append(site.login("emilie", f"{CANARY}-emilie")[1])
    mirror = {"type": "mirror", "mirror_url": f"https://ci:{CANARY}@packages.example/simple/"}
    site.request("PUT", "/root/mirror", mirror, auth=ROOT)

    secret = f"{CANARY}-{'x' * 20}"
    requests: list[tuple[str, str, object, tuple[str, str] | None]] = [
        *(("POST", "/+login", {"user": name, "password": secret}, None) for name in ("user0", "raise", "reject")),
        *(("POST", "/+login", {"user": name, "password": secret}, None) for name in ("unavailable", "nonsense")),
        *(("PATCH", "/root", {"title": "x"}, (name, secret)) for name in ("user1", "raise", "nonsense", "a\nb")),
        *(("PATCH", "/root", {"title": "x"}, ("user0", token)) for token in tokens),
        ("PATCH", "/root", {"title": "x"}, ("user0", tokens[0] + "x")),
        ("POST", "/+login", {"user": "user0", "password": tokens[0]}, None),
        ("POST", "/+login", {"user": "user0", "password": [secret]}, None),
        ("POST", "/+login", {"user": "user0", "password": secret * 200}, None),
        ("PUT", "/new", {"password": secret, "pwhash": "x"}, None),
        ("PUT", "/new", {"password": [secret]}, None),
        ("PUT", "/new", {"password": secret}, None),
        ("PATCH", "/user0", {"password": secret * 200}, ROOT),
        ("PATCH", "/user0", {"password": {"x": secret}}, ROOT),
        ("DELETE", "/root/mirror", None, ROOT),
        ("PATCH", "/root/mirror", ["title=x"], ROOT),
        ("PATCH", "/root/mirror", mirror, ROOT),
        *(("GET", path, None, ROOT) for path in ("/", "/user0", "/root/mirror", "/+status", "/+api", "/+openapi")),
        ("POST", "/+logout", None, ("user1", tokens[1])),
        ("POST", "/+logout", None, ("user1", tokens[1])),
    ]
    answers = [site.request(method, path, body, auth=auth) for method, path, body, auth in requests]
    serve.stop()

    seen = [answer.content.decode() + repr(dict(answer.headers)) for answer in answers] + [log.getvalue()]
    for text in seen:
        assert CANARY not in text
        assert not any(token in text for token in tokens)
        assert "argon2" not in text.replace("argon2-", "")
    assert len({answer.status for answer in answers}) > 5
    assert len(log.getvalue().splitlines()) > 8


def test_the_log_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Entries of the server and its libraries are on standard error, with time, level and name."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], logging.getLogger("wheelgate").level
    try:
        configure_logging()
        logging.getLogger("wheelgate.test").info("one\ntwo")
        logging.getLogger("library").warning("beware")
        try:
            int(CANARY)
        except ValueError:
            logging.getLogger("library").exception("it failed")
    finally:
        root.handlers[:] = handlers
        logging.getLogger("wheelgate").setLevel(level)

    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == ""
    assert [line.split(" ", 2)[2] for line in lines[:2]] == [
        "info wheelgate.test: one\\ntwo",
        "warning library: beware",
    ]
    assert "error library: it failed: ValueError at test_logs.py:" in lines[2]
    assert len(lines) == 3
    assert CANARY not in captured.err


def test_each_change_and_login_has_a_line(shared: Site, log: io.StringIO, fresh: str) -> None:
    """The line says what, on what, by whom and from where, with the ID of the request; a failed login has one line."""
    auth = shared.add_user(fresh)
    shared.request("PUT", f"/{fresh}/dev", {}, auth=auth)
    shared.request("GET", f"/{fresh}/dev", auth=auth)
    shared.request("POST", "/+login", {"user": fresh, "password": "wrong"})
    shared.request("PATCH", f"/{fresh}", {"title": "secret title"}, auth=auth)

    lines = re.sub(r"^.*? (?=info|warning)", "", log.getvalue(), flags=re.MULTILINE).splitlines()
    told = [re.sub(r"\[[0-9a-f]{12}\]", "[ID]", line) for line in lines if fresh in line]
    assert told == [
        f"info wheelgate.events[ID]: UserCreated {fresh} by 'root' from 127.0.0.1",
        f"info wheelgate.events[ID]: LoginSucceeded {fresh} by '{fresh}' from 127.0.0.1",
        f"info wheelgate.events[ID]: IndexCreated {fresh}/dev by '{fresh}' from 127.0.0.1",
        f"warning wheelgate.identity[ID]: failed login of user '{fresh}' from 127.0.0.1",
        f"info wheelgate.events[ID]: UserModified {fresh} by '{fresh}' from 127.0.0.1: changed=['title']",
    ]
