"""``/+x/<plugin>/…``: addresses that plugins serve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from tests.helpers.sites import Serve

from wheelgate import Allow, Permission, Principal, hookimpl
from wheelgate.errors import BackendUnavailable, Conflict, NotFound, StartupError
from wheelgate.providers import Route, RouteRequest, RouteResponse

ROOT = ("root", "")


@dataclass(frozen=True)
class Plugin:
    """A plugin with some routes, and a permission that alice has."""

    routes: tuple[Route, ...]

    @hookimpl
    def wheelgate_permissions(self) -> Iterable[Permission]:
        """Return the permission."""
        return [
            Permission("report_read", "read the reports of", "server", "root"),
            Permission("report_list", "list the reports of", "server", "authenticated"),
        ]

    @hookimpl
    def wheelgate_check_permission(self, principal: Principal, permission: str) -> Allow | None:
        """Grant it to alice."""
        return Allow("alice may") if permission == "report_read" and principal.name == "alice" else None

    @hookimpl
    def wheelgate_routes(self) -> Iterable[Route]:
        """Return the routes."""
        return self.routes


def echo(request: RouteRequest) -> RouteResponse:
    """Answer with everything that a route receives."""
    result = {
        "method": request.request.method,
        "path": request.request.path,
        "who": request.principal.name,
        "params": dict(request.params),
        "query": dict(request.query),
        "body": request.body,
        "header": request.request.headers.get("x-asked"),
        "other header": "x-other" in request.request.headers,
        "headers": len(dict(request.request.headers)) == len(request.request.headers) > 1,
    }
    return RouteResponse(result, "echo", "here it is", 202, {"X-Report": "yes"})


def test_a_route_is_given_the_request_and_answers_in_the_wire_format(serve: Serve) -> None:
    """A route receives path, query, caller and body, and its answer has the common format."""
    site = serve(extra={"reports": Plugin((Route("POST", "/of/{user}", echo, public=True),))})
    alice = site.add_user("alice")

    answer = site.request(
        "POST", "/+x/reports/of/bob?deep=&format=long&format=short", {"a": 1}, auth=alice, headers={"X-Asked": "yes"}
    )

    assert (answer.status, answer.json["type"], answer.message) == (202, "echo", "here it is")
    assert answer.headers["x-report"] == "yes"
    given = answer.result
    assert given.pop("headers")
    assert given == {
        "method": "POST",
        "path": "/+x/reports/of/bob",
        "who": "alice",
        "params": {"user": "bob"},
        "query": {"deep": "", "format": "short"},
        "body": {"a": 1},
        "header": "yes",
        "other header": False,
    }


def test_a_public_route_is_open_to_all(serve: Serve) -> None:
    """A route with ``public=True`` needs no login; a request without a body gives it None."""
    site = serve(extra={"reports": Plugin((Route("GET", "/", echo, public=True),))})

    answer = site.request("GET", "/+x/reports")

    assert (answer.status, answer.result["who"], answer.result["body"]) == (202, None, None)


def test_a_route_with_a_permission_asks_for_it(serve: Serve) -> None:
    """A caller without the permission gets the reason instead of the route's answer."""
    site = serve(extra={"reports": Plugin((Route("GET", "/all", echo, "report_read"),))})
    alice, bob = site.add_user("alice"), site.add_user("bob")

    assert site.request("GET", "/+x/reports/all", auth=alice).status == 202
    assert site.request("GET", "/+x/reports/all", auth=ROOT).status == 202
    denied = site.request("GET", "/+x/reports/all", auth=bob)
    unknown = site.request("GET", "/+x/reports/all")
    assert (denied.status, denied.message) == (
        403,
        "user 'bob' has no permission to read the reports of this server: only root may",
    )
    assert unknown.status == 401


def test_a_permission_of_all_users(serve: Serve) -> None:
    """The default ``authenticated`` grants a permission to all users who are logged in."""
    site = serve(extra={"reports": Plugin((Route("GET", "/", echo, "report_list"),))})

    assert site.request("GET", "/+x/reports", auth=site.add_user("bob")).status == 202
    refused = site.request("GET", "/+x/reports")
    assert (refused.status, refused.message) == (
        401,
        "not logged in: no permission to list the reports of this server: only users may",
    )


def refuse(error: Exception) -> Route:
    """Return a route that raises an error."""

    def handler(request: RouteRequest) -> RouteResponse:
        raise error

    return Route("GET", "/", handler, public=True)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (NotFound("no such report"), 404, "no such report"),
        (Conflict("it is being written"), 409, "it is being written"),
        (BackendUnavailable("the archive is away", retry_after=7), 503, "the archive is away"),
        (KeyError("swordfish"), 500, "the server failed on this request; its log says where"),
    ],
    ids=["not found", "conflict", "unavailable", "fault"],
)
def test_a_route_may_refuse(serve: Serve, error: Exception, status: int, message: str) -> None:
    """A refusal gets its status and message; other errors are faults of the server that show no details."""
    site = serve(extra={"reports": Plugin((refuse(error),))})

    refused = site.request("GET", "/+x/reports")

    assert (refused.status, refused.message) == (status, message)
    assert refused.headers.get("retry-after") == ("7" if status == 503 else None)


def test_refusals_do_not_open_the_circuit(serve: Serve) -> None:
    """A refusal is an answer, so the route is called next time too; faults make the server leave it out for a while."""
    site = serve(extra={"refusing": Plugin((refuse(NotFound("no such report")),)), "faulty": Faulty()})

    refused = [site.request("GET", "/+x/refusing").status for _ in range(7)]
    failed = [site.request("GET", "/+x/faulty") for _ in range(7)]

    assert refused == [404] * 7
    assert [answer.status for answer in failed] == [500] * 5 + [503] * 2
    assert failed[-1].message == "'faulty/' does not answer"
    assert failed[-1].headers["retry-after"] == "30"


class Faulty:
    """A plugin whose only route fails."""

    @hookimpl
    def wheelgate_routes(self) -> Iterable[Route]:
        """Return the route."""
        return [refuse(KeyError("x"))]


def test_two_plugins_may_have_the_same_path(serve: Serve) -> None:
    """A route is below its plugin's name, so two plugins may have the same path."""
    route = Route("GET", "/status", echo, public=True)

    class Other:
        @hookimpl
        def wheelgate_routes(self) -> list[Route]:
            return [route]

    site = serve(extra={"one": Plugin((route,)), "two": Other()})

    assert site.request("GET", "/+x/one/status").status == 202
    assert site.request("GET", "/+x/two/status").status == 202
    assert site.request("GET", "/+x/three/status").status == 404


@pytest.mark.parametrize(
    ("routes", "sentence"),
    [
        (
            [Route("GET", "/x", echo)],
            "plugin 'reports': route GET /+x/reports/x must name either a permission or public=True",
        ),
        (
            [Route("GET", "/x", echo, "report_read", public=True)],
            "plugin 'reports': route GET /+x/reports/x must name either a permission or public=True",
        ),
        (
            [Route("GET", "/x", echo, "report_reed")],
            "plugin 'reports': route GET /+x/reports/x asks for the unknown permission 'report_reed'",
        ),
        (
            [Route("GET", "x", echo, public=True)],
            "plugin 'reports': route GET /+x/reportsx: the path 'x' must begin with a slash",
        ),
        (
            [Route("BREW", "/x", echo, public=True)],
            "plugin 'reports': route BREW /+x/reports/x: the method must be one of DELETE, GET, PATCH, POST, PUT",
        ),
        (
            [Route("GET", "/x", echo, public=True)] * 2,
            "plugin 'reports': route GET /+x/reports/x exists already",
        ),
    ],
    ids=["open by oversight", "both", "unknown permission", "no slash", "unknown method", "twice"],
)
def test_an_invalid_route_stops_the_start(serve: Serve, routes: list[Route], sentence: str) -> None:
    """The message at the start says what is wrong, with plugin, method and path."""
    with pytest.raises(StartupError) as refused:
        serve(extra={"reports": Plugin(tuple(routes))})

    assert str(refused.value) == sentence


def test_a_path_that_falcon_rejects_stops_the_start(serve: Serve) -> None:
    """A template that cannot be routed gives one sentence, not a traceback."""
    with pytest.raises(StartupError, match=r"the route /\+x/reports/\{a b\} cannot be added: "):
        serve(extra={"reports": Plugin((Route("GET", "/{a b}", echo, public=True),))})


def test_a_route_sets_a_cookie(serve: Serve) -> None:
    """The plugin writes the header of a cookie out, with all its attributes."""
    cookie = {"Set-Cookie": "theme=dark; HttpOnly; SameSite=Strict"}
    site = serve(extra={"x": Plugin((Route("GET", "/theme", lambda _: RouteResponse(headers=cookie), public=True),))})

    assert site.request("GET", "/+x/x/theme").headers["set-cookie"] == cookie["Set-Cookie"]
