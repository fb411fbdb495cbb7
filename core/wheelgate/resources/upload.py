"""``POST /{user}/{index}``: uploads, and pushes of clients that do not know another method for them."""

from __future__ import annotations

from functools import partial

import falcon.asgi

from wheelgate.errors import Refusal
from wheelgate.files.server_files import Files
from wheelgate.http.answers import give_reason
from wheelgate.http.front import Front, segment
from wheelgate.http.multipart import is_form, read_form
from wheelgate.http.request import drain
from wheelgate.identity.identify import Caller
from wheelgate.packages import PackageTarget, Recorded
from wheelgate.plugin_host.vetoes import Objections
from wheelgate.resources.push import PushResource
from wheelgate.services.indices import Indices, index_resource
from wheelgate.services.sources import Sources
from wheelgate.services.uploads import Reception, UploadJob, upload_target
from wheelgate.store.group_commit import GroupCommit, alone
from wheelgate.values import Index


class UploadResource:
    """Takes files, registrations and documentation."""

    def __init__(
        self,
        front: Front,
        indices: Indices,
        sources: Sources,
        files: Files,
        pushes: PushResource,
        objections: Objections,
        largest: int | None,
        together: GroupCommit | None,
    ) -> None:
        """Take, besides the parts of the core, how many bytes a file may have, and what commits small ones together.

        Without that each is recorded on its own: on a server with several writers, who would wait for each other.
        """
        self._front = front
        self._indices = indices
        self._sources = sources
        self._files = files
        self._pushes = pushes
        self._objections = objections
        self._largest = largest
        self._together = together

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """Take an upload. What is no form is a push."""
        if not is_form(req):
            await self._pushes.on_push(req, resp, user, index)
            return
        try:
            recorded = await self._upload(req, user, index)
        except Refusal as refused:
            give_reason(resp, refused.message)
            await drain(req)
            raise
        # No JSON: the incumbent's client would look for something in it.
        resp.content_type = "text/plain; charset=utf-8"
        resp.data = f"{recorded.note}\n".encode() if recorded.note else b""
        if recorded.note:
            give_reason(resp, recorded.note)

    async def _upload(self, req: falcon.asgi.Request, user: str, index: str) -> Recorded:
        caller = await self._front.caller(req)
        found = (await self._front.indices.find(caller, segment(user), segment(index), "upload", "")).index
        target = upload_target(self._indices.type_of(found), found)
        await self._front.require(caller, "upload", index_resource(found, ""))
        recorded = await self._take(req, found, target, caller)
        if recorded.path:
            detail = {"project": recorded.project, "version": recorded.version, "path": recorded.path}
            self._front.tell("FileUploaded", caller, found.path, **detail)
        else:
            self._front.tell(
                "ReleaseRegistered", caller, found.path, project=recorded.project, version=recorded.version
            )
        return recorded

    async def _take(self, req: falcon.asgi.Request, index: Index, target: PackageTarget, caller: Caller) -> Recorded:
        reception = Reception(self._files, self._sources, index, self._largest)
        try:
            form = await read_form(req, reception.begin)
        except BaseException:
            await self._sources.wait(index, reception.drop)
            raise
        permit = partial(self._permit, caller, index)
        job = UploadJob(self._files, target, index, form, reception, caller.principal.name, permit)
        # A plugin that takes its time over one upload must not hold up those that would be committed with it.
        if self._together is not None and reception.small and self._objections.instant:
            return await self._together.do(job)
        return await self._sources.wait(index, alone, job, self._front.change_here)

    def _permit(self, caller: Caller, index: Index, project: str, version: str | None) -> None:
        """Raise what there is against a project or, once the version is known, against the release. In a thread."""
        self._front.rights.require_restriction(caller, "upload", index_resource(index, project))
        if version is not None:
            self._objections.raise_any(
                f"{project} {version}", principal=caller.principal, index=index, project=project, version=version
            )
