"""``POST /{user}/{index}/+simple/{project}/refresh``: mirrors ask their upstream again."""

from __future__ import annotations

from urllib.parse import quote

import falcon
import falcon.asgi

from wheelgate.http.answers import PLAIN
from wheelgate.http.front import Front, segment
from wheelgate.packages import normalize
from wheelgate.services.inheritance import Layer


class RefreshResource:
    """Makes what is cached of a project old."""

    def __init__(self, front: Front) -> None:
        self._front = front

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str
    ) -> None:
        """Have the project asked for again, by the index or by the mirrors that it inherits from."""
        name = normalize(segment(project))
        found = await self._front.index(req, user, index, name)
        mirrors = [layer for layer in found.layers if layer.source.last]
        if mirrors:
            await self._front.change(refresh, mirrors, name)
        resp.status_code = 302
        resp.content_type = PLAIN
        resp.set_header(
            "location", quote(f"{self._front.outside.url(req)}/{found.index.path}/+simple/{name}/", safe=":/@+")
        )


def refresh(mirrors: list[Layer], name: str) -> None:
    """Have a project asked for again. Within a transaction."""
    for layer in mirrors:
        layer.source.refresh(layer.index, name)
