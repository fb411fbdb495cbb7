"""Finds the resource of an address, and maps the HTTP methods to its responders."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from falcon.routing import CompiledRouter, set_default_responders

from wheelgate.http.scope import ROUTE_TEMPLATE

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PUSH")
"""The methods that a resource may have. PUSH is one of the incumbent's; Falcon's own table does not have it."""
MAX_TREES = 16
"""How many trees of address templates a process keeps; it has more than one only if its plugins change."""


class Router:
    """A router for Falcon, with HEAD wherever there is GET (RFC 9110, section 9.1), and 405 for unknown methods.

    Falcon's own router checks and compiles the templates again for each application of a process, which takes a third
    of its start. Here, applications with the same templates share the compiled tree.
    """

    def __init__(self, resources: Mapping[str, object]) -> None:
        """Make the router for the resources, which are given by their address templates, such as ``/{user}/+api``.

        Raises:
            ValueError: a template is malformed, or conflicts with another one.
        """
        self._routes = {template: (resource, responders_of(resource)) for template, resource in resources.items()}
        self._tree = tree(tuple(resources))

    def find(self, path: str, req: Any = None) -> tuple[object, Responders, dict[str, Any], str | None] | None:
        """Return the resource of a path, its responders, the values of the placeholders, and the template.

        Args:
            path: the path, without a slash at the end.
            req: the request, whose scope gets the template.
        """
        found = self._tree.find(path)
        if found is None:
            return None
        template, _, params, _ = found
        resource, responders = self._routes[str(template)]
        if req is not None:
            req.scope[ROUTE_TEMPLATE] = template
        return resource, responders, params, str(template)


class Responders(dict[str, Any]):
    """Responders by method. An unknown method gets the answer of CONNECT, which no resource has: 405."""

    def __missing__(self, method: str) -> Any:
        return self["CONNECT"]


def responders_of(resource: object) -> Responders:
    """Return the responders of a resource, and Falcon's for the methods that it does not have."""
    own = ((method, getattr(resource, f"on_{method.lower()}", None)) for method in METHODS)
    responders = Responders((method, responder) for method, responder in own if responder is not None)
    if "GET" in responders:
        responders.setdefault("HEAD", responders["GET"])
    set_default_responders(responders, asgi=True)
    return responders


@lru_cache(MAX_TREES)
def tree(templates: tuple[str, ...]) -> CompiledRouter:
    """Return a router whose resources are the templates themselves.

    Raises:
        ValueError: a template is malformed, or conflicts with another one.
    """
    tree = CompiledRouter()
    for template in templates:
        try:
            tree.add_route(template, template)
        except ValueError as error:
            raise ValueError(f"the route {template} cannot be added: {error}") from None
    return tree


class MergedResource:
    """Merges several resources into one route; each contributes its own methods."""

    def __init__(self, *resources: object) -> None:
        for resource in resources:
            for name in dir(resource):
                if name.startswith("on_"):
                    setattr(self, name, getattr(resource, name))
