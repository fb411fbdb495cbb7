"""Maps the HTTP methods of a route to responders."""

from __future__ import annotations

from typing import Any

from falcon.routing import CompiledRouter


class Router(CompiledRouter):
    """Falcon's router, with HEAD wherever there is GET (RFC 9110, section 9.1), and 405 for unknown methods."""

    def map_http_methods(self, resource: object, **kwargs: Any) -> dict[str, Any]:
        """Find the responders of a resource."""
        responders: dict[str, Any] = Responders(super().map_http_methods(resource, **kwargs))
        if "GET" in responders:
            responders.setdefault("HEAD", responders["GET"])
        # Falcon takes further methods only from the environment, before it is imported; the incumbent has PUSH.
        if hasattr(resource, "on_push"):
            responders["PUSH"] = resource.on_push
        return responders


class Responders(dict[str, Any]):
    """Responders by method. An unknown method gets the answer of CONNECT, which no resource has: 405."""

    def __missing__(self, method: str) -> Any:
        return self["CONNECT"]


class MergedResource:
    """Merges several resources into one route; each contributes its own methods."""

    def __init__(self, *resources: object) -> None:
        for resource in resources:
            for name in dir(resource):
                if name.startswith("on_"):
                    setattr(self, name, getattr(resource, name))
