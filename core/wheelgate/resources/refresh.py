"""``POST /{user}/{index}/+simple/{project}/refresh``: mirrors ask their upstream again."""

from __future__ import annotations

from urllib.parse import quote

import falcon
import falcon.asgi

from wheelgate.http.answers import PLAIN
from wheelgate.http.front import Front, segment
from wheelgate.packages import PackageSource, normalize
from wheelgate.services.bases import depth_first
from wheelgate.services.indices import Indices, index_resource
from wheelgate.services.sources import Sources
from wheelgate.values import Index


class RefreshResource:
    """Makes what is cached of a project old."""

    def __init__(self, front: Front, indices: Indices, sources: Sources) -> None:
        self._front = front
        self._indices = indices
        self._sources = sources

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str
    ) -> None:
        """Have the project asked for again, by the index or by the mirrors that it inherits from."""
        caller = await self._front.caller(req)
        found = await self._front.read(self._indices.get, segment(user), segment(index))
        name = normalize(segment(project))
        await self._front.require(caller, "index_read", index_resource(found, name))
        mirrors = await self._front.read(self._mirrors, found)
        readable = await self._front.rights.visible(
            caller, "index_read", [index_resource(mirror, name) for mirror, _ in mirrors]
        )
        asked = [mirror for mirror, seen in zip(mirrors, readable, strict=True) if seen]
        if asked:
            await self._front.change(refresh, asked, name)
        resp.status_code = 302
        resp.content_type = PLAIN
        resp.set_header("location", quote(f"{self._front.outside.url(req)}/{found.path}/+simple/{name}/", safe=":/@+"))

    def _mirrors(self, index: Index) -> list[tuple[Index, PackageSource]]:
        """Return the indices of an index's line that have an upstream."""
        line = [(each, self._sources.of(each)) for each in depth_first(index, self._indices.find)]
        return [(each, source) for each, source in line if source is not None and source.last]


def refresh(mirrors: list[tuple[Index, PackageSource]], name: str) -> None:
    """Have a project asked for again. Within a transaction."""
    for index, source in mirrors:
        source.refresh(index, name)
