"""``/{user}/{index}/{project}`` and ``/{user}/{index}/{project}/{version}``: what is known of releases."""

from __future__ import annotations

import falcon.asgi

from wheelgate.errors import NotFound
from wheelgate.http.answers import answer
from wheelgate.http.front import Front, segment, version_segment
from wheelgate.resources.package_paths import project_name, redirect, wants_simple
from wheelgate.services.merging import Reading
from wheelgate.services.rendering import below
from wheelgate.services.versions import version_list


class ProjectResource:
    """Shows the versions of a project, or one of them."""

    def __init__(self, front: Front, reading: Reading) -> None:
        self._front = front
        self._reading = reading

    async def on_get(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        user: str,
        index: str,
        project: str,
        version: str = "",
    ) -> None:
        """Show the versions of a project on an index and its bases; without them if the request says ``ignore_bases``.

        An installer is sent to the simple page.
        """
        resp.set_header("vary", "Accept, User-Agent")
        if not version and wants_simple(req):
            ended = req.scope["path"][-1] == "/"
            redirect(req, resp, f"{'../' * ended}+simple/{segment(project)}/")
            return
        name = project_name(req, resp, project, f"/{version_segment(version)}" if version else "")
        if not name:
            return
        resolution = await self._front.index(req, user, index, name)
        if "ignore_bases" in req.params:
            resolution = resolution.alone()
        try:
            found = await self._reading.releases(resolution, name)
        except NotFound:
            raise NotFound(f"no project '{name}'") from None
        versions = version_list(found, below(self._front.outside.url(req)))
        if not version:
            answer(resp, versions, "projectconfig")
        elif version in versions:
            answer(resp, versions[version], "versiondata")
        else:
            raise NotFound(f"The version {ascii(version)[1:-1][:200]} of project {name} does not exist.")
