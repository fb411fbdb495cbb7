"""``/{user}/{index}/+why/{project}``: which indices a project comes from, and why others are not used."""

from __future__ import annotations

from wheelgate.providers import RouteRequest, RouteResponse
from wheelgate_web.projects.project_data import index_path
from wheelgate_web.projects.project_page import crumbs_of
from wheelgate_web.rendering import Renderer

MAX_SHOWN_VERSIONS = 20
"""Versions of one index that the table names, the newest."""


class WhyPage:
    """The page."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show the part of each index, in the order in which the server asks them.

        Raises:
            Refusal: as ``request.view`` does.
        """
        path, name = index_path(request), request.params["project"]
        return self._renderer.page(
            request,
            "why.html",
            f"Where {name} comes from · {path}",
            crumbs=[*crumbs_of(request, "")[:3], ("Why", "")],
            alternate=f"/{path}/+why/{name}",
            path=path,
            name=name,
            answers=request.view.why(path, name),
            shown_versions=MAX_SHOWN_VERSIONS,
        )
