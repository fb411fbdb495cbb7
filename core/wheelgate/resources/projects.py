"""``/{user}/{index}/{project}`` and ``/{user}/{index}/{project}/{version}``: the data of releases."""

from __future__ import annotations

import falcon.asgi

from wheelgate.errors import NotFound
from wheelgate.http.answers import answer
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.path_segments import path_segment, version_segment
from wheelgate.resources.package_paths import project_name, redirect, wants_simple_page
from wheelgate.services.packages.merging import IndexMerger
from wheelgate.services.packages.rendering import absolute_urls
from wheelgate.services.packages.versions import (
    find_version,
    indices_in_history,
    project_config,
    without_long_values,
)
from wheelgate.threads.large_inputs import call_aside

SIMPLE_ALIAS = "simple"
"""The folder of simple pages as other servers name it. For installers, it stands for ``+simple``."""

MAX_RELEASES_ON_LOOP = 300
"""Versions of a project that the event loop describes by itself."""


class ProjectResource:
    """Shows all versions of a project, or one of them."""

    def __init__(self, context: HandlerContext, merger: IndexMerger) -> None:
        self._context = context
        self._merger = merger

    async def on_get(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        user: str,
        index: str,
        project: str,
        version: str = "",
    ) -> None:
        """Show the versions of a project on an index and its bases.

        The parameter ``ignore_bases`` leaves out the bases. Installers are redirected to the simple page.
        """
        resp.set_header("vary", "Accept, User-Agent")
        if wants_simple_page(req) and (project == SIMPLE_ALIAS or not version):
            redirect_to_simple_page(req, resp, project, version)
            return
        name = project_name(req, resp, project, f"/{version_segment(version)}" if version else "")
        if not name:
            return
        caller = await self._context.identify(req)
        resolution = await self._context.index_rights.find(
            caller, path_segment(user), path_segment(index), project=name
        )
        if "ignore_bases" in req.params:
            resolution = resolution.without_bases()
        try:
            releases = await self._merger.releases(resolution, name)
        except NotFound as absence:
            if project == SIMPLE_ALIAS:
                redirect_to_simple_page(req, resp, project, version)
                return
            raise NotFound(f"no project '{name}'", remembered_until=absence.remembered_until) from None
        others = indices_in_history(releases) - {resolution.index.path}
        hidden = await self._context.index_rights.unnamed(caller, others)
        large = sum(len(found) for _, found in releases) > MAX_RELEASES_ON_LOOP
        files_at = absolute_urls(self._context.server_url(req))
        versions = await call_aside(large, project_config, releases, files_at, hidden)
        if not version:
            answer(resp, await call_aside(large, without_long_values, versions), "projectconfig")
        elif (data := find_version(versions, version)) is not None:
            answer(resp, data, "versiondata")
        else:
            raise NotFound(f"The version {ascii(version)[1:-1][:200]} of project {name} does not exist.")


def redirect_to_simple_page(req: falcon.asgi.Request, resp: falcon.asgi.Response, project: str, version: str) -> None:
    """Redirect to the simple page of a project; from the alias, to the same address below ``+simple``."""
    steps = bool(version) + (req.scope["path"][-1] == "/")
    name = version if project == SIMPLE_ALIAS else project
    redirect(req, resp, f"{'../' * steps}+simple/{path_segment(name)}{'/' if name else ''}")
