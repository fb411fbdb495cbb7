"""The ID of a request: in its answer, in each line of the log about it, and in its events."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator

import pytest
from tests.helpers.sites import ROOT_BEHIND_PROXY, Serve

from wheelgate import Credentials, Event, Outcome, RequestInfo, Server, Unavailable, User, hookimpl
from wheelgate.logs import OneLineFormatter
from wheelgate.providers import Authenticator, Route, RouteEvent, RouteRequest, RouteResponse
from wheelgate.testing.site import Site

PROXY = "10.1.2.3"
ID = "3f2a9c1b7d4e-4.7"

plugin_log = logging.getLogger("wheelgate.talkative")


class Talkative(Authenticator):
    """A plugin that writes a line to the log wherever the server calls it."""

    name = "talkative"
    accepts = frozenset({"password"})
    local = False

    @hookimpl
    def wheelgate_authenticators(self) -> Iterable[Authenticator]:
        """Provide itself."""
        return [self]

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Write a line, in a thread of the circuit breaker."""
        plugin_log.warning("authenticating")
        return Unavailable("maintenance")

    @hookimpl
    def wheelgate_routes(self) -> Iterable[Route]:
        """Provide an address that announces an event."""
        return [Route("GET", "/talk", self.talk, public=True)]

    def talk(self, request: RouteRequest) -> RouteResponse:
        """Write a line, in a thread."""
        plugin_log.warning("answering")
        return RouteResponse(events=[RouteEvent("UserModified", "root")])

    @hookimpl
    def wheelgate_on_event(self, server: Server, event: Event) -> None:
        """Write a line, in the thread of the events."""
        plugin_log.warning("listening")

    @hookimpl
    def wheelgate_check_permission(self, permission: str) -> None:
        """Write a line when a change is checked."""
        plugin_log.warning("deciding")


@pytest.fixture(scope="module")
def log() -> Iterator[io.StringIO]:
    """Return the log in the format of the server."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(OneLineFormatter())
    logger = logging.getLogger("wheelgate")
    logger.addHandler(handler)
    yield text
    logger.removeHandler(handler)


@pytest.fixture(scope="module")
def behind(serve_shared: Serve) -> Site:
    """Return a server that trusts the proxies in 10.0.0.0/8."""
    return serve_shared(trusted_proxy="10.0.0.0/8")


@pytest.mark.parametrize(
    ("method", "path", "body", "auth", "lines"),
    [
        pytest.param("POST", "/+login", {"user": "nobody", "password": "x"}, None, {"authenticating"}, id="thread"),
        pytest.param("GET", "/+x/talkative/talk", None, None, {"answering", "listening"}, id="route and event"),
        pytest.param("DELETE", "/root", None, ROOT_BEHIND_PROXY, {"deciding"}, id="policy"),
    ],
)
def test_each_line_names_the_request(
    serve: Serve,
    log: io.StringIO,
    method: str,
    path: str,
    body: object,
    auth: tuple[str, str] | None,
    lines: set[str],
) -> None:
    """Each line that the server or a plugin logs about a request has the ID that the answer has."""
    site = serve(trusted_proxy="10.0.0.0/8", extra={"talkative": Talkative()})
    log.truncate(log.seek(0))

    answer = site.request(method, path, body, auth=auth)
    serve.stop()

    logged = log.getvalue().splitlines()
    assert lines <= {line.rpartition(": ")[2] for line in logged}
    assert [line for line in logged if f"[{answer.headers['x-request-id']}]: " not in line] == []


def test_each_request_has_an_id_of_its_own(shared: Site) -> None:
    """No two requests have the same ID."""
    assert len({shared.request("GET", "/+api").headers["x-request-id"] for _ in range(20)}) == 20


@pytest.mark.parametrize(
    ("given", "address", "taken"),
    [
        pytest.param(ID, PROXY, True, id="from a proxy"),
        pytest.param("f" * 128, PROXY, True, id="long"),
        pytest.param(ID, "192.0.2.1", False, id="from elsewhere"),
        pytest.param(ID, "unix", False, id="without an address"),
        pytest.param("", PROXY, False, id="empty"),
        pytest.param("f" * 129, PROXY, False, id="too long"),
        pytest.param("a b", PROXY, False, id="space"),
        pytest.param("a]: forged", PROXY, False, id="bracket"),
        pytest.param(f"{ID},{ID}", PROXY, False, id="two"),
        pytest.param("é", PROXY, False, id="not ASCII"),
    ],
)
def test_a_trusted_proxy_may_give_the_id(behind: Site, given: str, address: str, taken: bool) -> None:
    """The server takes a well-formed ID from a trusted proxy, and else makes one."""
    answer = behind.request("GET", "/+api", headers={"X-Request-Id": given}, address=address)

    assert (answer.headers["x-request-id"] == given) is taken
    assert answer.headers["x-request-id"]
