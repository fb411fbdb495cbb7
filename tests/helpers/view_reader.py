"""A plugin with one route that calls a method of ``request.view`` and answers with what it returns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from wheelgate import Resource, hookimpl
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate.testing.site import Response, Site


class ViewReader:
    """Serves ``GET /+x/reader/{method}?args=[…]``."""

    @hookimpl
    def wheelgate_routes(self) -> list[Route]:
        """Return the route."""
        return [Route("GET", "/{method}", read, public=True)]


def read(request: RouteRequest) -> RouteResponse:
    """Call the method."""
    args = json.loads(request.query["args"])
    if request.params["method"] == "may":
        args = [args[0], Resource(*args[1:])]
    found = getattr(request.view, request.params["method"])(*args)
    if request.params["method"] == "stamp":
        found = repr(found)
    return RouteResponse(as_json(found), "view")


def as_json(value: Any) -> Any:
    """Return a value of a view as JSON."""
    if is_dataclass(value):
        return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [as_json(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def call_view(site: Site, auth: tuple[str, str] | None, method: str, *args: Any) -> Response:
    """Call a method for a caller."""
    return site.request("GET", f"/+x/reader/{method}?args={quote(json.dumps(args))}", auth=auth)
