"""``POST /{user}/{index}``: uploads, and pushes by clients that can send no other method."""

from __future__ import annotations

import falcon.asgi

from wheelgate.http.answers import PLAIN_TYPE, set_reason_phrase
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.json_bodies import begins_like_json
from wheelgate.http.multipart import (
    is_form,
    is_urlencoded,
    parse_urlencoded_form,
    read_form,
    read_urlencoded_body,
)
from wheelgate.http.path_segments import path_segment
from wheelgate.http.scope import UPLOAD_BODY_BYTES
from wheelgate.identity.identify import Caller
from wheelgate.packages import PackageTarget, RecordedUpload
from wheelgate.resources.push import PushResource
from wheelgate.rights.confirmation import Claim
from wheelgate.services.indices import Indices, index_resource
from wheelgate.services.releases.uploads import Uploader, Uploads, upload_target
from wheelgate.values import Index

OUTCOME_HEADER = "x-wheelgate-upload"
"""Header that says what became of an uploaded file; the body is empty, as the incumbent's."""


class UploadResource:
    """Takes files, registrations and documentation."""

    def __init__(self, context: HandlerContext, indices: Indices, uploads: Uploads, pushes: PushResource) -> None:
        self._context = context
        self._indices = indices
        self._uploads = uploads
        self._pushes = pushes

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """Take an upload; a body that is not a form is a push."""
        if not is_form(req):
            await self._pushes.on_push(req, resp, user, index)
        elif not is_urlencoded(req):
            await self._take_form(req, resp, user, index)
        elif begins_like_json(body := await read_urlencoded_body(req)):  # curl -d calls all that it sends URL-encoded
            await self._pushes.push(req, resp, user, index, body)
        else:
            await self._take_form(req, resp, user, index, body)

    async def _take_form(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, body: bytes | None = None
    ) -> None:
        """Take a form. Without ``body``, which is URL-encoded, it is multipart, and not read yet."""
        req.scope[UPLOAD_BODY_BYTES] = req.content_length
        recorded = await self._upload(req, user, index, body)
        # Not JSON: the incumbent's client would look for keys in it.
        resp.content_type = PLAIN_TYPE
        resp.data = f"{recorded.note}\n".encode() if recorded.note else b""
        if recorded.note:
            set_reason_phrase(resp, recorded.note)
        if recorded.path:
            resp.set_header(OUTCOME_HEADER, recorded.outcome)

    async def _upload(self, req: falcon.asgi.Request, user: str, index: str, body: bytes | None) -> RecordedUpload:
        caller = await self._context.identify(req)
        resolution = await self._context.index_rights.find(
            caller, path_segment(user), path_segment(index), "upload", project=""
        )
        found = resolution.index
        target = upload_target(self._indices.type_of(found), found)
        await self._context.require(caller, "upload", index_resource(found, ""))
        recorded = await self._receive(req, found, target, caller, body)
        detail = {"project": recorded.project, "version": recorded.version}
        if recorded.path:
            self._context.announce("FileUploaded", caller, found.path, **detail, path=recorded.path)
        else:
            self._context.announce("ReleaseRegistered", caller, found.path, **detail)
        return recorded

    async def _receive(
        self, req: falcon.asgi.Request, index: Index, target: PackageTarget, caller: Caller, body: bytes | None
    ) -> RecordedUpload:
        receiver = self._uploads.receive(index)
        try:
            form = await read_form(req, receiver.begin) if body is None else await parse_urlencoded_form(body)
        except BaseException:
            await self._uploads.drop(index, receiver)
            raise

        def require_project(project: str) -> None:
            # The projects of an API token; the permission itself was checked before the body was read.
            self._context.rights.require_restriction(caller, "upload", index_resource(index, project))

        try:
            confirm = await self._context.confirming([Claim(caller, "upload", index_resource(index, ""))])
        except BaseException:
            await self._uploads.drop(index, receiver)
            raise
        uploader = Uploader(caller.principal, require_project, confirm)
        return await self._uploads.record(index, target, form, receiver, uploader)
