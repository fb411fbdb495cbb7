"""``POST /{user}/{index}/+simple/{project}/refresh``: makes mirrors ask their upstream again."""

from __future__ import annotations

from urllib.parse import quote

import falcon
import falcon.asgi

from wheelgate.http.answers import PLAIN_TYPE
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.path_segments import path_segment
from wheelgate.packages import normalize
from wheelgate.services.packages.sources import Sources


class RefreshResource:
    """Expires the cached data of a project."""

    def __init__(self, context: HandlerContext, sources: Sources) -> None:
        self._context = context
        self._sources = sources

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str
    ) -> None:
        """Refresh a project on the index, if it is a mirror, and on the mirrors that it inherits from."""
        name = normalize(path_segment(project))
        resolution = await self._context.readable_index(req, user, index, name)
        for layer in resolution.layers:
            if layer.source.last:
                await self._sources.run_in_thread(layer.index, layer.source.refresh, layer.index, name)
        resp.status_code = 302
        resp.content_type = PLAIN_TYPE
        resp.set_header(
            "location",
            quote(f"{self._context.server_url(req)}/{resolution.index.path}/+simple/{name}/", safe=":/@+"),
        )
