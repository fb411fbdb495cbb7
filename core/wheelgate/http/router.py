"""Which methods an address understands."""

from __future__ import annotations

from typing import Any

from falcon.routing import CompiledRouter


class Router(CompiledRouter):
    """Falcon's router, with HEAD wherever there is GET (RFC 9110, section 9.1), and 405 for whatever has no name."""

    def map_http_methods(self, resource: object, **kwargs: Any) -> dict[str, Any]:
        """Find the responders of a resource."""
        found: dict[str, Any] = Methods(super().map_http_methods(resource, **kwargs))
        if "GET" in found:
            found.setdefault("HEAD", found["GET"])
        # Falcon learns methods from the environment and before it is imported only, and this one is the incumbent's.
        if hasattr(resource, "on_push"):
            found["PUSH"] = resource.on_push
        return found


class Methods(dict[str, Any]):
    """Responders by method; one that Falcon has not heard of is refused as CONNECT is, which no resource has."""

    def __missing__(self, method: str) -> Any:
        return self["CONNECT"]


class Together:
    """Several resources behind one address: each brings the methods that are its own."""

    def __init__(self, *resources: object) -> None:
        for resource in resources:
            for name in dir(resource):
                if name.startswith("on_"):
                    setattr(self, name, getattr(resource, name))
