"""``PUSH /{user}/{index}``: copies a release to another index, of this server or of another one."""

from __future__ import annotations

from urllib.parse import urlsplit

import falcon.asgi

from wheelgate.errors import NotAuthenticated, NotFound
from wheelgate.files.server_files import Files
from wheelgate.http.answers import answer
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.json_bodies import decode_body, read_json
from wheelgate.http.path_segments import path_segment
from wheelgate.identity.identify import Caller
from wheelgate.outgoing import Outgoing
from wheelgate.packages import Release, normalize
from wheelgate.plugin_host.vetoes import Vetoes
from wheelgate.rights.confirmation import Claim
from wheelgate.services.indices import Indices, index_resource
from wheelgate.services.packages.sources import Sources
from wheelgate.services.releases.publishing import publish
from wheelgate.services.releases.pushing import OtherServer, PushRequest, obtain_release, read_push, record_push
from wheelgate.services.releases.uploads import upload_target
from wheelgate.threads.pool import ThreadPool
from wheelgate.values import Index


class PushResource:
    """Copies a release with its files and its history."""

    def __init__(
        self,
        context: HandlerContext,
        indices: Indices,
        sources: Sources,
        files: Files,
        outgoing: Outgoing,
        vetoes: Vetoes,
        pool: ThreadPool,
    ) -> None:
        self._context = context
        self._indices = indices
        self._sources = sources
        self._files = files
        self._outgoing = outgoing
        self._vetoes = vetoes
        self._pool = pool

    async def on_push(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """Push a release of this index; releases of its bases are not pushed."""
        await self.push(req, resp, user, index)

    async def push(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, body: bytes | None = None
    ) -> None:
        """Push a release as :meth:`on_push` does; ``body`` is the body if it has been read."""
        caller = await self._context.identify(req)
        source = caller, path_segment(user), path_segment(index)
        resolution = await self._context.index_rights.find(*source, project="")
        push = read_push(await read_json(req) if body is None else await decode_body(body))
        # The projects that an API token may read: otherwise it could copy another one to an index that it may read.
        await self._context.index_rights.check(*source, resolution, project=normalize(push.name))
        await self._require_reading(caller, resolution.index)
        if isinstance(push.target, OtherServer):
            await self._push_to_server(resp, caller, resolution.index, push, push.target)
        else:
            await self._push_to_index(resp, caller, resolution.index, push, *push.target)

    async def _push_to_index(
        self, resp: falcon.asgi.Response, caller: Caller, source: Index, push: PushRequest, owner: str, name: str
    ) -> None:
        project = normalize(push.name)
        index = (await self._context.index_rights.find(caller, owner, name, "upload", project)).index
        target = upload_target(self._indices.type_of(index), index)
        await self._context.require(caller, "upload", index_resource(index, project))
        release = await self._fetch_release(source, push)
        question = {"principal": caller.principal, "index": index, "project": normalize(release.name)}
        await self._pool.run(
            self._vetoes.raise_any, f"{release.name} {release.version}", **question, version=release.version
        )
        username = caller.principal.name
        claims = [reading(caller, source), Claim(caller, "upload", index_resource(index, project))]
        actions = await self._context.change_stores(
            claims, record_push, self._files, target, index, release, source, username, push
        )
        self._announce(caller, release, source, index.path)
        answer(resp, actions, "actionlog")

    async def _push_to_server(
        self, resp: falcon.asgi.Response, caller: Caller, source: Index, push: PushRequest, to: OtherServer
    ) -> None:
        # Otherwise anyone could make this server send requests to others in its own name.
        if caller.principal.name is None:
            raise caller.problem or NotAuthenticated("not logged in: only users may push to another server")
        # An API token that may only read must not make this server send anything either.
        self._context.rights.require_restriction(caller, "upload", index_resource(source, normalize(push.name)))
        release = await self._fetch_release(source, push)
        await self._require_reading(caller, source)
        actions, accepted = await self._pool.run(publish, self._outgoing, self._files, source, release, to, push)
        if accepted:
            self._announce(caller, release, source, urlsplit(to.url).hostname or "")
        answer(resp, actions, "actionlog", status=200 if accepted else 502)

    async def _require_reading(self, caller: Caller, source: Index) -> None:
        """Refuse a caller whose login, or whose right to read the index, has ended since the request began."""
        confirm = await self._context.confirming([reading(caller, source)])
        if self._sources.of(source) is not None:  # without packages there is nothing to push, and no thread
            await self._sources.run_in_thread(source, confirm)

    async def _fetch_release(self, source: Index, push: PushRequest) -> Release:
        packages = self._sources.of(source)
        if packages is None:
            raise NotFound(f"index {source.path} has no packages")
        return await self._sources.run_in_thread(source, obtain_release, packages, source, push)

    def _announce(self, caller: Caller, release: Release, source: Index, target: str) -> None:
        detail = {"project": release.name, "version": release.version, "target": target}
        self._context.announce("ReleasePushed", caller, source.path, **detail)


def reading(caller: Caller, source: Index) -> Claim:
    """Return the claim that the caller may read an index."""
    return Claim(caller, "index_read", index_resource(source, ""))
