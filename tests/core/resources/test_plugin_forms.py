"""Routes that take forms, ask the API themselves, prove their origin, or stay open without a login."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.helpers.sites import Serve

from wheelgate import hookimpl
from wheelgate.errors import StartupError
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate.testing.site import Site

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OWN = {**FORM, "Origin": "http://localhost"}


@dataclass(frozen=True)
class Plugin:
    """A plugin with some routes."""

    routes: tuple[Route, ...]

    @hookimpl
    def wheelgate_routes(self) -> Iterable[Route]:
        """Return the routes."""
        return self.routes


def echo(request: RouteRequest) -> RouteResponse:
    """Answer with the form, the cookies and the address."""
    result = {"form": dict(request.form), "cookies": dict(request.cookies), "url": request.base_url}
    return RouteResponse({**result, "body": request.body}, "echo")


def ask(request: RouteRequest) -> RouteResponse:
    """Ask the API for what the form names."""
    form = request.form
    answer = request.ask(form["method"], form["path"], {"title": form["title"]} if "title" in form else None)
    document = answer.document if isinstance(answer.document, dict) else None
    return RouteResponse({"status": answer.status, "document": document, "message": answer.message}, "asked")


def ask_to_delete(request: RouteRequest) -> RouteResponse:
    """Ask for a change in a request that changes nothing."""
    request.ask("DELETE", "/alice")
    return RouteResponse()


ROUTES = (
    Route("POST", "/form", echo, public=True, form=True),
    Route("POST", "/own", echo, public=True, form=True, same_origin=True),
    Route("POST", "/ask", ask, public=True, form=True),
    Route("GET", "/delete", ask_to_delete, public=True),
    Route("GET", "/open", echo, public=True, open=True),
    Route("GET", "/closed", echo, public=True),
)


@pytest.fixture(scope="module")
def site(serve_shared: Serve) -> Site:
    """Return a server with the routes and a user."""
    site = serve_shared("forms", extra={"forms": Plugin(ROUTES)})
    site.add_user("alice")
    return site


def test_a_form_is_decoded(site: Site) -> None:
    """A handler gets fields, cookies and the server's address."""
    answer = site.request(
        "POST",
        "/+x/forms/form",
        b"a=1&b=%C3%A9+x&c=",
        headers={**FORM, "Cookie": "x=1; y=a=b; x=2", "Host": "pkg:8080"},
    )

    assert answer.result == {
        "form": {"a": "1", "b": "é x", "c": ""},
        "cookies": {"x": "1", "y": "a=b"},
        "url": "http://pkg:8080",
        "body": None,
    }


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"Content-Type": "application/json"}, 400),
        (b"a=%FF", FORM, 400),
        ("a=é".encode(), FORM, 400),
        (b"a=1&a=2", FORM, 400),
        (b"&".join(b"f%d=" % number for number in range(101)), FORM, 400),
        (b"a=" + b"x" * 1_000_000, FORM, 413),
        (b"&".join(b"f%d=" % number for number in range(100)), FORM, 200),
        (b"", {}, 200),
    ],
    ids=["JSON", "no UTF-8", "not encoded", "twice", "101 fields", "too long", "100 fields", "nothing"],
)
def test_which_forms_are_taken(site: Site, body: bytes, headers: dict[str, str], status: int) -> None:
    """A form has at most 1 MB and 100 fields, each of them once, in UTF-8."""
    assert site.request("POST", "/+x/forms/form", body, headers=headers).status == status


ORIGINS: list[tuple[dict[str, str], int]] = [
    ({"Sec-Fetch-Site": "same-origin"}, 200),
    ({"Sec-Fetch-Site": "none"}, 200),
    ({"Origin": "http://localhost"}, 200),
    ({"Origin": "http://LOCALHOST:80"}, 200),
    ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Origin": "http://localhost:8080"}, 403),
    ({"Origin": "https://localhost"}, 403),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "http://localhost.evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": ""}, 403),
    ({"Referer": "http://localhost/"}, 403),
    ({}, 403),
]


@pytest.mark.parametrize(("headers", "status"), ORIGINS, ids=repr)
def test_a_page_of_this_server_must_have_sent_it(site: Site, headers: dict[str, str], status: int) -> None:
    """``same_origin`` refuses a request for which no browser proves that, and one without any proof."""
    assert site.request("POST", "/+x/forms/own", b"", headers={**FORM, **headers}).status == status


@pytest.mark.parametrize(
    ("outside", "origin", "status"),
    [
        ("https://packages.example/sub", "https://packages.example", 200),
        ("https://packages.example:443", "https://packages.example", 200),
        ("https://packages.example/sub", "http://packages.example", 403),
        ("https://packages.example/sub", "http://localhost", 403),
    ],
)
def test_the_proof_is_about_the_outside_address(serve: Serve, outside: str, origin: str, status: int) -> None:
    """Behind a proxy, ``Origin`` must be that of ``--outside-url``."""
    site = serve(extra={"forms": Plugin(ROUTES)}, outside_url=outside)

    assert site.request("POST", "/+x/forms/own", b"", headers={**FORM, "Origin": origin}).status == status


def asked(site: Site, fields: str, **options: Any) -> Any:
    """Return what the API has answered to a handler."""
    answer = site.request("POST", "/+x/forms/ask", fields.encode(), headers=FORM, **options)
    assert answer.status == 200, answer.content
    return answer.result


def test_a_handler_asks_the_api_as_its_caller(site: Site) -> None:
    """The API answers with what it would answer to the caller: data, refusals and changes."""
    alice, bob = site.login("alice", "correct horse"), site.add_user("bob")

    assert asked(site, "method=GET&path=/alice")["document"] == site.request("GET", "/alice").json
    refused = asked(site, "method=PATCH&path=/alice&title=x", auth=bob)
    assert refused["status"] == 403
    assert refused["message"] == site.request("PATCH", "/alice", {"title": "x"}, auth=bob).message
    assert asked(site, "method=PATCH&path=/alice&title=x", auth=alice)["message"] == "user updated"
    assert site.request("GET", "/alice").result["title"] == "x"
    assert asked(site, "method=PATCH&path=/alice&title=y")["status"] == 401


def test_what_changes_nothing_may_not_ask_for_a_change(site: Site) -> None:
    """A GET that asks for a change is a fault of its plugin."""
    alice = site.login("alice", "correct horse")

    assert site.request("GET", "/+x/forms/delete", auth=alice).status == 500
    assert site.request("GET", "/alice").status == 200


def test_an_open_route_needs_no_login(serve: Serve) -> None:
    """``--require-login`` leaves it open, and no other route of the plugin."""
    site = serve(extra={"forms": Plugin(ROUTES)}, require_login=True)

    assert [site.request("GET", f"/+x/forms/{name}").status for name in ("open", "open/", "closed")] == [200, 200, 401]


@pytest.mark.parametrize(
    "route",
    [Route("GET", "/{x}", echo, public=True, open=True), Route("GET", "/x", echo, "user_list", open=True)],
    ids=["placeholder", "permission"],
)
def test_what_cannot_be_open(serve: Serve, route: Route) -> None:
    """Only a public route at one address can be open."""
    with pytest.raises(StartupError, match="only a public route without placeholders can be open"):
        serve(extra={"forms": Plugin((route,))})
