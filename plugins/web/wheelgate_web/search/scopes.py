"""What the caller of a request may search."""

from __future__ import annotations

from wheelgate.providers import RouteRequest
from wheelgate_web.search.matching import Scope


def scope_of(request: RouteRequest) -> Scope:
    """Return what the caller of a request may read."""
    restriction = request.principal.restriction
    projects = restriction.projects_for("index_read") if restriction is not None else None
    return Scope(request.view.readable(), projects)
