"""``/{user}/{index}``: one index."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import falcon.asgi

from wheelgate.errors import BackendUnavailable, BadInput, Forbidden
from wheelgate.fields import same
from wheelgate.http.answers import answer
from wheelgate.http.front import Front, segment
from wheelgate.http.request import held, read_json
from wheelgate.resources.package_paths import redirect, wants_simple
from wheelgate.services.indices import Indices, index_config
from wheelgate.services.sources import Sources
from wheelgate.services.users import Users
from wheelgate.values import Index, Resource


class IndexResource:
    """Looks at, creates, changes and deletes an index."""

    def __init__(self, front: Front, users: Users, indices: Indices, sources: Sources) -> None:
        self._front = front
        self._sources = sources
        self._users = users
        self._indices = indices

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """Show the configuration of an index, and its own projects; an installer is sent to the simple list."""
        resp.set_header("vary", "Accept, User-Agent")
        if wants_simple(req):
            ended = req.scope["path"][-1] == "/"
            redirect(req, resp, "+simple/" if ended else f"{segment(index)}/+simple/")
            return
        caller = await self._front.caller(req)
        listed = "no_projects" not in req.params
        asked = None if listed else ""
        found = (await self._front.indices.find(caller, segment(user), segment(index), project=asked)).index
        config = index_config(found)
        if listed:
            config["projects"] = await self._projects(found)
        answer(resp, config, "indexconfig")

    async def on_put(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """Create an index."""
        caller = await self._front.caller(req)
        await self._front.read(self._users.get, segment(user))
        segment(index)
        new = await held(self._read_new(req, user, index))
        proposed = {} if isinstance(new, BadInput) else index_config(new)
        await self._front.require(caller, "index_create", Resource("index", index, user, proposed=proposed))
        await self._front.read(self._indices.refuse_taken, user, index)
        if isinstance(new, BadInput):
            raise new
        hidden = await self._front.indices.unreadable(caller, new.config.get("bases", ()))
        created = await self._front.change(self._indices.create, new, hidden)
        self._front.tell("IndexCreated", caller, created.path)
        answer(resp, index_config(created), "indexconfig")

    async def on_patch(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """Change the configuration of an index."""
        caller = await self._front.caller(req)
        found = (await self._front.indices.find(caller, segment(user), segment(index), "index_modify")).index
        body = await held(read_json(req))
        if isinstance(body, BadInput):
            config: dict[str, Any] | BadInput = body
        else:
            config = await held(self._front.read(self._indices.read_modification, found, body))
        proposed = {} if isinstance(config, BadInput) else config
        resource = Resource("index", index, user, found.config, proposed=proposed)
        await self._front.require(caller, "index_modify", resource)
        if isinstance(config, BadInput):
            raise config
        hidden = await self._front.indices.unreadable(caller, config.get("bases", ()))
        await self._front.read(self._indices.refuse_wrong, found, config, found.config, hidden)
        if same(config, found.config):
            if "error_on_noop" in req.params:
                raise BadInput("The requested modifications resulted in no changes")
            answer(resp, index_config(found), "indexconfig")
            return
        modified = await self._front.change(self._modify, found.owner, found.name, body, hidden)
        self._front.tell("IndexModified", caller, modified.path)
        answer(resp, index_config(modified), "indexconfig")

    async def on_delete(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """Delete an index."""
        caller = await self._front.caller(req)
        resource = Resource("index", segment(index), segment(user))
        await self._front.require(caller, "index_delete", resource)
        found = await self._front.read(self._indices.get, user, index)
        self._indices.refuse_deletion(found)
        await self._front.change(self._indices.delete, found)
        self._front.tell("IndexDeleted", caller, found.path)
        answer(resp, message=f"index {found.path} deleted", status=201)

    async def _projects(self, index: Index) -> list[str]:
        """Return the projects of an index; of one whose upstream does not say, those that are known: none."""
        source = self._sources.of(index)
        if source is None:
            return []
        try:
            listing = await self._sources.wait(index, source.projects, index)
        except (BackendUnavailable, Forbidden):
            if not source.last:
                raise
            return []
        return sorted(listing.names)

    async def _read_new(self, req: falcon.asgi.Request, owner: str, name: str) -> Index:
        return self._indices.read_creation(owner, name, await read_json(req))

    def _modify(self, owner: str, name: str, body: Any, hidden: Container[str]) -> Index:
        """Work the change out anew inside the transaction, so that none that came between is lost."""
        found = self._indices.get(owner, name)
        config = self._indices.read_modification(found, body)
        self._indices.refuse_wrong(found, config, found.config, hidden)
        return self._indices.modify(found, config)
