"""What administrators look at: users and groups, plugins, and the state of what the server depends on."""

from __future__ import annotations

from typing import Any

from wheelgate import Resource
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate_web.paging import after_of, filter_of, paging_of
from wheelgate_web.permissions import require
from wheelgate_web.rendering import Renderer

USERS_OF_A_PAGE = 50
SHOWN_DETAILS = ("host", "port", "outside-url", "database", "workers", "serial")


class Administration:
    """The page."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("GET", "/administration", self.show, public=True, summary="Show the state of the server")]

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show users, groups, plugins and providers."""
        require(request, "status_read", Resource("server"))
        status: dict[str, Any] = request.ask("GET", "/+status").result
        groups = request.ask("GET", "/+x/groups/")
        users = request.view.users(filter_of(request), after_of(request), USERS_OF_A_PAGE)
        return self._renderer.page(
            request,
            "administration.html",
            "Administration",
            crumbs=[("Administration", "")],
            may_be_kept=False,
            blocks=request.blocks("administration"),
            users=[(entry.user, len(entry.indices)) for entry in users.entries],
            paging=paging_of(request, users),
            groups=sorted((groups.result or {}).items()) if groups.status == 200 else [],
            plugins=sorted(status["plugins"].items()),
            providers=sorted(status["providers"].items()),
            details=[(key, status[key]) for key in SHOWN_DETAILS if status.get(key) not in (None, "")],
            versions=sorted(status["versioninfo"].items()),
        )
