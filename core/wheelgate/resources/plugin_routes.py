"""``/+x/<plugin>/…``: addresses that plugins serve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from typing import Any

import falcon.asgi

from wheelgate.errors import Forbidden, StartupError
from wheelgate.http.forms import read_form
from wheelgate.http.handler_context import SAFE_METHODS
from wheelgate.http.json_bodies import read_json
from wheelgate.http.scope import ROUTE_BODY
from wheelgate.plugin_host.circuit import CircuitBreaker
from wheelgate.providers import Route, RouteResponse
from wheelgate.resources.plugin_calls import PluginCalls
from wheelgate.rights.confirmation import Claim
from wheelgate.values import EMPTY_MAPPING, Resource

ROUTE_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})

Responder = Callable[..., Awaitable[None]]


def plugin_resources(
    calls: PluginCalls, routes: Iterable[tuple[str, Route, CircuitBreaker]], permissions: Container[str]
) -> dict[str, object]:
    """Return the resources of the routes of all plugins, by their address templates.

    Raises:
        StartupError: a route has neither a permission nor ``public``, needs an unknown permission, is open but not
            public or not one address, or exists already.
    """
    resources: dict[str, Any] = {}
    for plugin, route, breaker in routes:
        path = route.address(plugin)
        what = f"plugin '{plugin}': route {route.method} {path}"
        if not route.path.startswith("/"):
            raise StartupError(f"{what}: the path '{route.path}' must begin with a slash")
        if route.public == bool(route.permission):
            raise StartupError(f"{what} must name either a permission or public=True")
        if route.permission and route.permission not in permissions:
            raise StartupError(f"{what} asks for the unknown permission '{route.permission}'")
        if route.open and (not route.public or "{" in route.path):
            raise StartupError(f"{what}: only a public route without placeholders can be open")
        if route.method not in ROUTE_METHODS:
            raise StartupError(f"{what}: the method must be one of {', '.join(sorted(ROUTE_METHODS))}")
        resource = resources.setdefault(path, type("PluginResource", (), {})())
        name = f"on_{route.method.lower()}"
        if hasattr(resource, name):
            raise StartupError(f"{what} exists already")
        setattr(resource, name, make_responder(calls, route, breaker))
    return resources


def open_paths(routes: Iterable[tuple[str, Route]]) -> frozenset[str]:
    """Return the addresses that ``--require-login`` leaves open, of routes with their plugins."""
    return frozenset(route.address(plugin) for plugin, route in routes if route.open)


def make_responder(calls: PluginCalls, route: Route, breaker: CircuitBreaker) -> Responder:
    """Return Falcon's responder for a route."""
    context = calls.context

    async def respond(req: falcon.asgi.Request, resp: falcon.asgi.Response, **params: str) -> None:
        if route.same_origin:
            context.require_same_origin(req)
        caller = await context.identify(req)
        if route.public and req.method not in SAFE_METHODS and caller.principal.restriction is not None:
            raise Forbidden("an API token is not valid for this address; log in")
        if route.permission:
            await context.require(caller, route.permission, Resource("server"))
        body, form = await read_route_body(req, route)
        req.scope[ROUTE_BODY] = form if route.form else body
        confirm = await context.confirming([Claim(caller, route.permission, Resource("server"))])
        route_request = calls.request(req, caller, params, confirm, body=body, form=form)
        response: RouteResponse = await breaker.call(route.handler, route_request)
        for event in response.events:
            context.announce(event.name, caller, event.subject, **event.detail)
        calls.write(resp, response)

    return respond


async def read_route_body(req: falcon.asgi.Request, route: Route) -> tuple[Any, Mapping[str, str]]:
    """Return the JSON body and the form of a request, of which a route takes one."""
    if not (req.content_length or req.get_header("transfer-encoding")):
        return None, EMPTY_MAPPING
    return (None, await read_form(req)) if route.form else (await read_json(req), EMPTY_MAPPING)
