"""``/{user}/{index}``: one index."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import falcon.asgi

from wheelgate.errors import BackendUnavailable, BadInput, Forbidden
from wheelgate.fields import same_json
from wheelgate.http.answers import answer
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.json_bodies import read_json
from wheelgate.http.path_segments import path_segment
from wheelgate.identity.identify import Caller
from wheelgate.resources.package_paths import redirect, wants_simple_page
from wheelgate.rights.confirmation import Claim
from wheelgate.services.index_json import index_config, read_changed_config, read_new_index
from wheelgate.services.indices import Indices
from wheelgate.services.packages.sources import Sources
from wheelgate.services.users import Users
from wheelgate.values import Index, Resource


class IndexResource:
    """Shows, creates, changes and deletes an index."""

    def __init__(self, context: HandlerContext, users: Users, indices: Indices, sources: Sources) -> None:
        self._context = context
        self._users = users
        self._indices = indices
        self._sources = sources

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """Show the configuration of an index and its own projects; redirect installers to the simple page."""
        resp.set_header("vary", "Accept, User-Agent")
        if wants_simple_page(req):
            has_slash = req.scope["path"][-1] == "/"
            redirect(req, resp, "+simple/" if has_slash else f"{path_segment(index)}/+simple/")
            return
        caller = await self._context.identify(req)
        with_projects = "no_projects" not in req.params
        project = None if with_projects else ""
        resolution = await self._context.index_rights.find(
            caller, path_segment(user), path_segment(index), project=project
        )
        config = index_config(resolution.index)
        if with_projects:
            config["projects"] = await self._projects(resolution.index)
        answer(resp, config, "indexconfig")

    async def on_put(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """Create an index."""
        caller = await self._context.identify(req)
        await self._context.read_stores(self._users.get, path_segment(user))
        path_segment(index)
        try:
            new = read_new_index(self._indices.types, user, index, await read_json(req))
        except BadInput:
            # A caller without the permission gets that refusal instead, and learns nothing about the body.
            await self._require_creation(caller, user, index, {})
            raise
        await self._require_creation(caller, user, index, index_config(new))
        hidden = await self._context.index_rights.unreadable(caller, new.config.get("bases", ()))
        claims = [Claim(caller, "index_create", creation_resource(user, index, index_config(new)))]
        created = await self._context.change_stores(claims, self._indices.create, new, hidden)
        self._context.announce("IndexCreated", caller, created.path)
        answer(resp, index_config(created), "indexconfig")

    async def on_patch(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """Change the configuration of an index."""
        caller = await self._context.identify(req)
        resolution = await self._context.index_rights.find(
            caller, path_segment(user), path_segment(index), "index_modify"
        )
        found = resolution.index
        try:
            body = await read_json(req)
            config = await self._context.read_stores(self._changed_config, found, body)
        except BadInput:
            # A caller without the permission gets that refusal instead, and learns nothing about the body.
            await self._require_modification(caller, found, {})
            raise
        await self._require_modification(caller, found, config)
        hidden = await self._context.index_rights.unreadable(caller, config.get("bases", ()))
        await self._context.read_stores(self._indices.check_references, found, config, found.config, hidden)
        if same_json(config, found.config):
            if "error_on_noop" in req.params:
                raise BadInput("The requested modifications resulted in no changes")
            answer(resp, index_config(found), "indexconfig")
            return
        claims = [Claim(caller, "index_modify", modification_resource(found, config))]
        modified = await self._context.change_stores(claims, self._modify, found.owner, found.name, body, hidden)
        self._context.announce("IndexModified", caller, modified.path)
        answer(resp, index_config(modified), "indexconfig")

    async def on_delete(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """Delete an index."""
        caller = await self._context.identify(req)
        resource = Resource("index", path_segment(index), path_segment(user))
        await self._context.require(caller, "index_delete", resource)
        found = await self._context.read_stores(self._indices.get, user, index)
        self._indices.refuse_deletion(found)
        await self._context.change_stores([Claim(caller, "index_delete", resource)], self._indices.delete, found)
        self._context.announce("IndexDeleted", caller, found.path)
        answer(resp, message=f"index {found.path} deleted", status=201)

    async def _require_creation(self, caller: Caller, owner: str, name: str, proposed: Mapping[str, Any]) -> None:
        await self._context.require(caller, "index_create", creation_resource(owner, name, proposed))
        await self._context.read_stores(self._indices.refuse_taken, owner, name)

    async def _require_modification(self, caller: Caller, index: Index, proposed: Mapping[str, Any]) -> None:
        await self._context.require(caller, "index_modify", modification_resource(index, proposed))

    async def _projects(self, index: Index) -> list[str]:
        """Return the projects of an index; none if it is a mirror whose upstream does not answer."""
        source = self._sources.of(index)
        if source is None:
            return []
        try:
            listing = await self._sources.run_in_thread(index, source.projects, index)
        except (BackendUnavailable, Forbidden):
            if not source.last:
                raise
            return []
        return sorted(listing.names)

    def _changed_config(self, index: Index, body: Any) -> dict[str, Any]:
        return read_changed_config(self._indices.types, index, body)

    def _modify(self, owner: str, name: str, body: Any, hidden: Container[str]) -> Index:
        """Change the present configuration inside the transaction, so that no change in between is lost."""
        found = self._indices.get(owner, name)
        config = self._changed_config(found, body)
        self._indices.check_references(found, config, found.config, hidden)
        return self._indices.modify(found, config)


def creation_resource(owner: str, name: str, proposed: Mapping[str, Any]) -> Resource:
    """Return the resource of a request to create an index."""
    return Resource("index", name, owner, proposed=proposed)


def modification_resource(index: Index, proposed: Mapping[str, Any]) -> Resource:
    """Return the resource of a request to change an index."""
    return Resource("index", index.name, index.owner, index.config, proposed=proposed)
