"""``POST /{user}/{index}/+simple/{project}/refresh``: makes mirrors ask their upstream again."""

from __future__ import annotations

from urllib.parse import quote

import falcon
import falcon.asgi

from wheelgate.http.answers import PLAIN_TYPE
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.path_segments import path_segment
from wheelgate.packages import normalize
from wheelgate.rights.confirmation import Claim
from wheelgate.services.indices import index_resource
from wheelgate.services.packages.inheritance import Layer


class RefreshResource:
    """Expires the cached data of a project."""

    def __init__(self, context: HandlerContext) -> None:
        self._context = context

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str
    ) -> None:
        """Refresh a project on the index, if it is a mirror, and on the mirrors that it inherits from."""
        name = normalize(path_segment(project))
        caller = await self._context.identify(req)
        resolution = await self._context.index_rights.find(
            caller, path_segment(user), path_segment(index), project=name
        )
        mirrors = [layer for layer in resolution.layers if layer.source.last]
        if mirrors:
            claims = [Claim(caller, "index_read", index_resource(resolution.index, name))]
            await self._context.change_stores(claims, refresh, mirrors, name)
        resp.status_code = 302
        resp.content_type = PLAIN_TYPE
        resp.set_header(
            "location",
            quote(f"{self._context.server_url(req)}/{resolution.index.path}/+simple/{name}/", safe=":/@+"),
        )


def refresh(mirrors: list[Layer], name: str) -> None:
    """Expire the data that mirrors have cached of a project. Runs inside a transaction."""
    for layer in mirrors:
        layer.source.refresh(layer.index, name)
