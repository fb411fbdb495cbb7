"""``/{user}/{index}/+why/{project}``: which indices a project comes from, and why others are hidden."""

from __future__ import annotations

import falcon.asgi

from wheelgate.http.answers import answer
from wheelgate.http.handler_context import HandlerContext
from wheelgate.resources.package_paths import project_name
from wheelgate.services.packages.explaining import explain
from wheelgate.services.packages.merging import IndexMerger


class WhyResource:
    """Explains inheritance for one project."""

    def __init__(self, context: HandlerContext, merger: IndexMerger) -> None:
        self._context = context
        self._merger = merger

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str
    ) -> None:
        """Say what each index has of a project, and why it is or is not served."""
        name = project_name(req, resp, project)
        if name:
            resolution = await self._context.readable_index(req, user, index, name)
            answer(resp, await explain(self._merger, resolution, name), "why")
