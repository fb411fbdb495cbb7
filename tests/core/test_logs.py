"""The log: one line per entry, whatever a client puts into a name, and no secret."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator

import pytest
from tests.helpers.sites import Serve

from wheelgate import Credentials, Ok, Outcome, Principal, Reject, RequestInfo, Unavailable, User, hookimpl
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
    "name",
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
def test_no_name_can_forge_an_entry(shared: Site, log: io.StringIO, name: str) -> None:
    """A name with line breaks, escape sequences or direction marks is escaped and stays in one line."""
    shared.request("POST", "/+login", {"user": name, "password": "x"}, address="192.0.2.1")

    lines = log.getvalue().splitlines()
    assert len(lines) == 1
    assert " warning wheelgate.identity[" in lines[0]
    assert lines[0].endswith(f"]: failed login of user {name!a} from 192.0.2.1")


def test_a_fault_says_where_and_no_value(serve: Serve, log: io.StringIO) -> None:
    """An unexpected exception is one line with its place in the code, without its text."""

    def handler(request: RouteRequest) -> RouteResponse:
        raise KeyError(CANARY)

    site = serve(extra={"faulty": Faulty(handler)})
    log.truncate(0)

    assert site.request("GET", "/+x/faulty/x%0ay").status == 500

    lines = log.getvalue().strip("\0").splitlines()
    assert len(lines) == 1
    assert " error wheelgate.http[" in lines[0]
    assert "]: fault on GET /+x/faulty/x\\ny: KeyError at test_logs.py:" in lines[0]
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
    shared.request("POST", "/+login", {"user": "nobody", "password": "x"}, address="192.0.2.1")
    shared.request("PATCH", "/root", {}, auth=("nobody", "x"), address="192.0.2.2")

    assert "failed login of user 'nobody' from 192.0.2.1" in log.getvalue()
    assert "failed login of user 'nobody' from 192.0.2.2" in log.getvalue()


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
            raise ValueError(CANARY)


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
