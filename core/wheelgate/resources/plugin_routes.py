"""``/+x/<plugin>/…``: addresses that plugins serve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import falcon.asgi

from wheelgate.errors import Forbidden, StartupError
from wheelgate.http.answers import answer
from wheelgate.http.handler_context import SAFE_METHODS, HandlerContext
from wheelgate.http.json_bodies import read_json
from wheelgate.http.scope import ROUTE_BODY
from wheelgate.plugin_host.circuit import CircuitBreaker
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate.rights.confirmation import Claim
from wheelgate.values import Resource
from wheelgate.views.caller_view import CallerView
from wheelgate.views.sources_of_views import ViewSources

ROUTE_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})

Responder = Callable[..., Awaitable[None]]


def plugin_resources(
    context: HandlerContext,
    routes: Iterable[tuple[str, Route, CircuitBreaker]],
    permissions: frozenset[str],
    sources: ViewSources,
) -> dict[str, object]:
    """Return the resources of the routes of all plugins, by their address templates.

    Raises:
        StartupError: a route has neither a permission nor ``public``, needs an unknown permission, or exists already.
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
        if route.method not in ROUTE_METHODS:
            raise StartupError(f"{what}: the method must be one of {', '.join(sorted(ROUTE_METHODS))}")
        resource = resources.setdefault(path, type("PluginResource", (), {})())
        name = f"on_{route.method.lower()}"
        if hasattr(resource, name):
            raise StartupError(f"{what} exists already")
        setattr(resource, name, make_responder(context, route, breaker, sources))
    return resources


def make_responder(context: HandlerContext, route: Route, breaker: CircuitBreaker, sources: ViewSources) -> Responder:
    """Return Falcon's responder for a route; its handler reads from ``sources``."""

    async def respond(req: falcon.asgi.Request, resp: falcon.asgi.Response, **params: str) -> None:
        caller = await context.identify(req)
        if route.public and req.method not in SAFE_METHODS and caller.principal.restriction is not None:
            raise Forbidden("an API token is not valid for this address; log in")
        if route.permission:
            await context.require(caller, route.permission, Resource("server"))
        body = await read_json(req) if req.content_length or req.get_header("transfer-encoding") else None
        req.scope[ROUTE_BODY] = body
        confirm = await context.confirming([Claim(caller, route.permission, Resource("server"))])
        query = {name: req.get_param(name) or "" for name in req.params}
        route_request = RouteRequest(
            caller.info, caller.principal, params, query, body, confirm, CallerView(sources, caller)
        )
        response: RouteResponse = await breaker.call(route.handler, route_request)
        for event in response.events:
            context.announce(event.name, caller, event.subject, **event.detail)
        answer(resp, response.result, response.type, response.message, response.status)
        for name, value in response.headers.items():
            # Falcon takes a complete Set-Cookie header only by append_header.
            (resp.append_header if name.lower() == "set-cookie" else resp.set_header)(name, value)

    return respond
