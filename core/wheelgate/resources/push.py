"""``PUSH /{user}/{index}``: a release goes to another index, of this server or of another one."""

from __future__ import annotations

from urllib.parse import urlsplit

import falcon.asgi

from wheelgate.errors import NotAuthenticated, NotFound
from wheelgate.files.server_files import Files
from wheelgate.http.answers import answer
from wheelgate.http.front import Front, segment
from wheelgate.http.request import read_json
from wheelgate.identity.identify import Caller
from wheelgate.outgoing import Outgoing
from wheelgate.packages import Release, normalize
from wheelgate.plugin_host.vetoes import Objections
from wheelgate.services.indices import Indices, index_resource
from wheelgate.services.publishing import publish
from wheelgate.services.pushing import OtherServer, Push, obtain, read_push, take
from wheelgate.services.sources import Sources
from wheelgate.services.uploads import upload_target
from wheelgate.threads.pool import Pool
from wheelgate.values import Index


class PushResource:
    """Copies a release, files and history."""

    def __init__(
        self,
        front: Front,
        indices: Indices,
        sources: Sources,
        files: Files,
        outgoing: Outgoing,
        objections: Objections,
        pool: Pool,
    ) -> None:
        self._front = front
        self._indices = indices
        self._sources = sources
        self._files = files
        self._outgoing = outgoing
        self._objections = objections
        self._pool = pool

    async def on_push(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """Push a release of this index; not of its bases."""
        caller = await self._front.caller(req)
        source = (await self._front.indices.find(caller, segment(user), segment(index), project="")).index
        push = read_push(await read_json(req))
        if isinstance(push.target, OtherServer):
            await self._outside(resp, caller, source, push, push.target)
        else:
            await self._inside(resp, caller, source, push, *push.target)

    async def _inside(
        self, resp: falcon.asgi.Response, caller: Caller, source: Index, push: Push, owner: str, name: str
    ) -> None:
        project = normalize(push.name)
        index = (await self._front.indices.find(caller, owner, name, "upload", project)).index
        target = upload_target(self._indices.type_of(index), index)
        await self._front.require(caller, "upload", index_resource(index, project))
        release = await self._obtain(source, push)
        who = caller.principal.name
        question = {"principal": caller.principal, "index": index, "project": normalize(release.name)}
        await self._pool.run(
            self._objections.raise_any, f"{release.name} {release.version}", **question, version=release.version
        )
        actions = await self._front.change(take, self._files, target, index, release, source, who, push)
        self._told(caller, release, source, index.path)
        answer(resp, actions, "actionlog")

    async def _outside(
        self, resp: falcon.asgi.Response, caller: Caller, source: Index, push: Push, to: OtherServer
    ) -> None:
        # Otherwise anybody could make this server send things to others in its name.
        if caller.principal.name is None:
            raise caller.problem or NotAuthenticated("not logged in: only users may push to another server")
        # A token that may only read must not make this server send either.
        self._front.rights.require_restriction(caller, "upload", index_resource(source, normalize(push.name)))
        release = await self._obtain(source, push)
        actions, good = await self._pool.run(publish, self._outgoing, self._files, source, release, to, push)
        if good:
            self._told(caller, release, source, urlsplit(to.url).hostname or "")
        answer(resp, actions, "actionlog", status=200 if good else 502)

    async def _obtain(self, source: Index, push: Push) -> Release:
        packages = self._sources.of(source)
        if packages is None:
            raise NotFound(f"index {source.path} holds no packages")
        return await self._sources.wait(source, obtain, packages, source, push)

    def _told(self, caller: Caller, release: Release, source: Index, target: str) -> None:
        detail = {"project": release.name, "version": release.version, "target": target}
        self._front.tell("ReleasePushed", caller, source.path, **detail)
