"""The log says what a plugin raised: the type, the text without secrets, and the line of the plugin itself."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.helpers.sites import Serve

from wheelgate import Credentials, Event, Ok, Outcome, Reject, RequestInfo, Token, User, hookimpl
from wheelgate.providers import (
    Authenticator,
    CredentialExtractor,
    GroupSource,
    Route,
    RouteRequest,
    RouteResponse,
    TokenHandler,
    UserDirectory,
)
from wheelgate.testing.site import Site

PASSWORD = 'p\u00e4ss "w\u00f6rd"/7 & more'
TOKEN = "xyz_Zu8qkQm4vXn3Wb7sTfHd"
REASON = "the disk of the service is full"


@dataclass
class Faulty(Authenticator, UserDirectory, GroupSource, CredentialExtractor, TokenHandler):
    """A plugin with all providers and hooks; those whose names are in ``failing`` raise."""

    failing: set[str] = field(default_factory=set)
    text: Callable[[str], str] = lambda secret: REASON
    """Makes the text of the exception from the secret that the plugin got with the call."""
    name: str = "faulty"
    accepts: frozenset[str] = frozenset({"password"})
    local: bool = False
    live: bool = False
    instant: bool = False
    rank: int = 10
    header: str = "x-faulty"
    scheme: str = ""
    ambient: bool = False
    prefix: str = "xyz_"

    def reach(self, place: str, secret: str = "") -> None:
        """Raise if this place fails, from a library."""
        if place in self.failing:
            json.loads("{}", object_hook=lambda _: self.stop(secret))

    def stop(self, secret: str) -> None:
        """Raise."""
        raise LookupError(self.text(secret))

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Accept everybody but local users."""
        self.reach("authenticate", credentials.secret)
        return Ok(credentials.username) if credentials.username == "grace" else Reject("unknown")

    def exists(self, username: str) -> bool:
        """Everybody exists."""
        self.reach("exists")
        return True

    def groups(self, username: str) -> frozenset[str]:
        """Nobody is in a group."""
        self.reach("groups")
        return frozenset()

    def extract(self, request: RequestInfo) -> Credentials | None:
        """Find nothing."""
        self.reach("extract", request.headers[self.header])
        return None

    def verify(self, secret: str) -> Token | Reject:
        """Know no token."""
        self.reach("verify", secret)
        return Reject("unknown")

    @hookimpl
    def wheelgate_authenticators(self) -> Iterable[Authenticator]:
        """Provide itself."""
        return [self]

    @hookimpl
    def wheelgate_group_sources(self) -> Iterable[GroupSource]:
        """Provide itself."""
        return [self]

    @hookimpl
    def wheelgate_credential_extractors(self) -> Iterable[CredentialExtractor]:
        """Provide itself."""
        return [self]

    @hookimpl
    def wheelgate_token_handlers(self) -> Iterable[TokenHandler]:
        """Provide itself."""
        return [self]

    @hookimpl
    def wheelgate_provision_user(self) -> None:
        """Give no defaults."""
        self.reach("provision")

    @hookimpl
    def wheelgate_check_permission(self, permission: str) -> None:
        """Decide nothing."""
        if permission == "index_create":
            self.reach("policy")

    @hookimpl
    def wheelgate_filter_visible(self) -> None:
        """Hide nothing."""
        self.reach("filter")

    @hookimpl
    def wheelgate_check_password(self, password: str) -> None:
        """Refuse nothing."""
        self.reach("veto", password)

    @hookimpl
    def wheelgate_on_event(self, event: Event) -> None:
        """Do nothing."""
        self.reach("event")

    @hookimpl
    def wheelgate_routes(self) -> Iterable[Route]:
        """Provide a route that takes a password."""
        return [Route("POST", "/route", self.handle, public=True)]

    def handle(self, request: RouteRequest) -> RouteResponse:
        """Do nothing."""
        self.reach("route", request.body["password"])
        return RouteResponse()


def ask(site: Site, place: str) -> None:
    """Send the request that calls the plugin at a place, with a secret if there is one."""
    root = ("root", "")
    match place:
        case "authenticate" | "provision" | "groups":
            site.request("GET", "/+api", auth=("grace", PASSWORD))
        case "exists":
            site.request("GET", "/+api", auth=site.login("grace", PASSWORD))
        case "extract":
            site.request("GET", "/+api", headers={"X-Faulty": b64encode(PASSWORD.encode()).decode()})
        case "verify":
            site.request("GET", "/+api", auth=("__token__", TOKEN))
        case "policy":
            site.request("PUT", "/root/dev", {}, auth=root)
        case "filter":
            site.request("GET", "/")
        case "veto" | "event":
            site.request("PUT", "/alice", {"password": PASSWORD}, auth=root)
        case "route":
            site.request("POST", "/+x/faulty/route", {"password": PASSWORD})


PLACES = {
    "authenticate": "authenticator 'faulty' is unavailable: it raised ",
    "exists": "'faulty' cannot tell whether user 'grace' still exists: it raised ",
    "groups": "group source 'faulty' failed: ",
    "extract": "credential extractor 'faulty' failed: ",
    "verify": "token handler 'faulty' is unavailable: it raised ",
    "provision": "plugin 'faulty' cannot set up user 'grace': ",
    "policy": "plugin 'faulty' failed to check a permission: ",
    "filter": "plugin 'faulty' failed to filter a listing: ",
    "veto": "plugin 'faulty' failed to check the password: ",
    "event": "plugin 'faulty' failed on UserCreated: ",
    "route": "fault on POST /+x/faulty/route: ",
}
GET_A_SECRET = ["authenticate", "extract", "verify", "veto", "route"]


def logged(serve: Serve, caplog: pytest.LogCaptureFixture, plugin: Faulty) -> list[str]:
    """Return the lines of the log after the plugin has failed once."""
    site = serve(extra={"faulty": plugin})
    (place,) = plugin.failing
    caplog.clear()
    ask(site, place)
    serve.stop()
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("place", PLACES)
def test_the_log_says_what_a_plugin_raised(serve: Serve, caplog: pytest.LogCaptureFixture, place: str) -> None:
    """A line has the type, the text, and the file and line of the plugin, although a library was called in between."""
    lines = logged(serve, caplog, Faulty({place}))

    failures = [line for line in lines if line.startswith(PLACES[place])]
    assert failures
    assert all(
        re.search(rf"LookupError: {REASON}, at tests/core/test_plugin_failures\.py:[0-9]+", each) for each in failures
    )


def test_the_place_is_the_innermost_line_of_the_plugin(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Of several functions of the plugin, the line is that of the one that raised."""
    source = Path(__file__).read_text("utf-8").splitlines()
    raising = source.index("        raise LookupError(self.text(secret))") + 1

    lines = logged(serve, caplog, Faulty({"policy"}))

    assert any(line.endswith(f", at tests/core/test_plugin_failures.py:{raising}") for line in lines), lines


def test_a_name_that_no_user_has_is_masked(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody may have typed a password where the name belongs."""
    site = serve(extra={"faulty": Faulty({"authenticate"}, lambda _: "no person correct-horse here")})
    caplog.clear()

    assert site.request("POST", "/+login", {"user": "correct-horse", "password": "x"}).status == 503

    assert "LookupError: no person *** here, at" in caplog.text


def test_a_body_of_many_texts_costs_no_time(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """If a body has more texts than are worth looking for, the log has the type and the place alone."""
    site = serve(extra={"faulty": Faulty({"route"})})
    caplog.clear()

    site.request("POST", "/+x/faulty/route", {"password": PASSWORD, "more": [str(number) for number in range(50_000)]})

    assert "route: LookupError, at tests/core/test_plugin_failures.py:" in caplog.text


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda secret: f"no {secret} here",
    "as Python writes it": lambda secret: f"no {secret!r} here",
    "in JSON": lambda secret: json.dumps({"word": secret}),
    "in a URL": lambda secret: f"https://service.example/?w={quote(secret)}",
    "in bytes": lambda secret: f"sent {secret.encode()!r}",
    "in Base64": lambda secret: f"sent {b64encode(secret.encode()).decode()}",
    "for HTTP basic": lambda secret: f"sent {b64encode(f'grace:{secret}'.encode()).decode()}",
    "in upper case": str.upper,
    "far behind": lambda secret: "x" * 290 + secret,
    "many times": lambda secret: secret * 2000,
}


@pytest.mark.parametrize(
    ("place", "form"),
    [
        pytest.param(place, form, marks=[pytest.mark.slow] if place != "verify" and form != "as it is" else [])
        for place in GET_A_SECRET
        for form in FORMS
    ],
)
def test_the_log_never_shows_the_secret_of_the_request(
    serve: Serve, caplog: pytest.LogCaptureFixture, place: str, form: str
) -> None:
    """A secret that the plugin got with the call is masked, in whatever form the exception repeats it."""
    secrets: list[str] = []

    def text(secret: str) -> str:
        secrets.append(secret)
        return FORMS[form](secret)

    lines = "\n".join(logged(serve, caplog, Faulty({place}, text)))

    assert "LookupError" in lines
    (secret,) = secrets
    for shown in (secret, secret[: len(secret) // 2 + 1], b64encode(secret.encode()).decode()[:20], quote(secret)[:14]):
        assert shown.casefold() not in lines.casefold()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no route to the directory, password was swordfish", "no route to the directory, password was ***"),
        ("login failed: {'user': 'x', 'password': 'sword fish'}", "login failed: {'user': 'x', 'password': ***}"),
        ('{"access_token": "swordfish", "code": 7}', '{"access_token": ***, "code": 7}'),
        (
            "GET https://ci:swordfish@service.example/x?token=swordfish&page=2",
            "GET https://***@service.example/x?token=***&page=2",
        ),
        ("Authorization: Bearer swordfish.x", "Authorization: *** ***"),
        ("bind with $argon2id$v=19$m=8$c2FsdA$swordfish", "bind with ***"),
        ("key 9f86d081884c7d659a2feaa0c55ad015 is old", "key *** is old"),
        ("the token has expired", "the token has expired"),
        ("[Errno 111] Connection refused", "[Errno 111] Connection refused"),
        ("two\nlines\x1b[1m", "two lines\x1b[1m"),
        ("no answer from directory.service.example:636", "no answer from directory.service.example:636"),
    ],
    ids=ascii,
)
def test_what_looks_like_a_secret_is_masked(
    serve: Serve, caplog: pytest.LogCaptureFixture, text: str, shown: str
) -> None:
    """Secrets of others are masked by their name, their place or their form; the rest of the text is shown."""
    lines = logged(serve, caplog, Faulty({"policy"}, lambda _: text))

    assert any(f"LookupError: {shown}, at tests/" in line for line in lines), lines


class MuteError(Exception):
    """An exception without a text."""

    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        pytest.param(MuteError(), "MuteError, at tests/core/test_plugin_failures.py:", id="raises"),
        pytest.param(LookupError(), "LookupError, at tests/core/test_plugin_failures.py:", id="empty"),
        pytest.param(LookupError("x " * 80_000), "LookupError, at tests/core/test_plugin_failures.py:", id="huge"),
        pytest.param(LookupError("x " * 500), "x x …, at tests/core/test_plugin_failures.py:", id="long"),
    ],
)
def test_a_text_without_use(serve: Serve, caplog: pytest.LogCaptureFixture, error: Exception, shown: str) -> None:
    """An exception whose text is missing, or too long, is logged all the same."""

    class Raising(Faulty):
        def stop(self, secret: str) -> None:
            raise error

    lines: Any = logged(serve, caplog, Raising({"policy"}))

    assert any(shown in line for line in lines), lines
