"""``DELETE`` and ``PATCH`` of projects, versions and files, and the results of tests of files."""

from __future__ import annotations

import falcon.asgi

from wheelgate.errors import Forbidden, Gone, NotFound
from wheelgate.files.server_files import Files
from wheelgate.http.answers import answer
from wheelgate.http.front import Front, segment, version_segment
from wheelgate.http.request import decode_json, read_body, read_json
from wheelgate.identity.identify import Caller
from wheelgate.packages import DraftFile, PackageSource, PackageTarget, normalize
from wheelgate.resources.bodies import read_status, read_yank
from wheelgate.resources.files import project_at
from wheelgate.services.indices import Indices, index_resource
from wheelgate.services.sources import Sources
from wheelgate.services.uploads import upload_target
from wheelgate.values import Index

LARGEST_RESULT = 16_000_000
"""Bytes of a test's result, which holds what tools have printed."""


class Changing:
    """What the resources below share: the index, the right, and where its packages are."""

    def __init__(self, front: Front, indices: Indices, sources: Sources) -> None:
        self.front = front
        self._indices = indices
        self._sources = sources

    async def index(
        self, req: falcon.asgi.Request, user: str, index: str, permission: str, project: str = ""
    ) -> tuple[Caller, Index]:
        """Return who asks and the index, if the one may do that to the project on the other."""
        caller = await self.front.caller(req)
        found = (await self.front.indices.find(caller, segment(user), segment(index), permission, project)).index
        await self.front.require(caller, permission, index_resource(found, project))
        return caller, found

    async def file(
        self, req: falcon.asgi.Request, user: str, index: str, permission: str, path: str
    ) -> tuple[Caller, Index]:
        """Return who asks and the index, if the one may do that to the file at ``path`` on the other."""
        caller, found = await self.index(req, user, index, permission)
        restriction, source = caller.principal.restriction, self._sources.of(found)
        if restriction is not None and restriction.projects is not None and source is not None:
            project, _ = await project_at(self._sources, source, found, path)
            self.front.rights.require_restriction(caller, permission, index_resource(found, project))
        return caller, found

    def source(self, index: Index) -> PackageSource:
        """Return where the packages of an index are."""
        packages = self._sources.of(index)
        if packages is None:
            raise NotFound(f"index {index.path} holds no packages")
        return packages

    def refuse_non_volatile(self, req: falcon.asgi.Request, index: Index, sentence: str) -> None:
        """Refuse to delete from an index that is to stay as it is, unless the request says ``force``."""
        if not index.config.get("volatile", True) and "force" not in req.params:
            raise Forbidden(sentence)

    def target(self, index: Index) -> PackageTarget:
        """Return what takes changes to an index."""
        return upload_target(self._indices.type_of(index), index)


class ChangedProject:
    """``/{user}/{index}/{project}``."""

    def __init__(self, changing: Changing) -> None:
        self._changing = changing
        self._front = changing.front

    async def on_delete(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str
    ) -> None:
        """Delete a project with everything in it."""
        name = normalize(segment(project))
        caller, found = await self._changing.index(req, user, index, "release_delete", name)
        source = self._changing.source(found)
        self._changing.refuse_non_volatile(req, found, f"project {plain(name)} is on non-volatile index {found.path}")
        await self._front.change(deleted, "project not found", source, found, name)
        self._front.tell("ProjectDeleted", caller, found.path, project=name)
        answer(resp, message=f"project {name} deleted from stage {found.path}")

    async def on_patch(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str
    ) -> None:
        """Set the status of a project."""
        name = normalize(segment(project))
        caller, found = await self._changing.index(req, user, index, "release_modify", name)
        target = self._changing.target(found)
        status, reason = read_status(await read_json(req))
        await self._front.change(target.set_status, found, name, status, reason)
        self._front.tell("ProjectStatusChanged", caller, found.path, project=name, status=status, reason=reason)
        answer(resp, message=f"project {name} is now {status}")


class ChangedVersion:
    """``/{user}/{index}/{project}/{version}``."""

    def __init__(self, changing: Changing) -> None:
        self._changing = changing
        self._front = changing.front

    async def on_delete(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str, version: str
    ) -> None:
        """Delete a version; with the last one goes the project."""
        name = normalize(segment(project))
        caller, found = await self._changing.index(req, user, index, "release_delete", name)
        source = self._changing.source(found)
        self._changing.refuse_non_volatile(req, found, "cannot delete version on non-volatile index")
        missing = f"version '{plain(version)}' of project {plain(name)} not found on stage '{found.path}'"
        await self._front.change(deleted, missing, source, found, name, version=version_segment(version))
        self._front.tell("VersionDeleted", caller, found.path, project=name, version=version)
        answer(resp, message=f"project {name} version '{version}' deleted")

    async def on_patch(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str, version: str
    ) -> None:
        """Yank a version, or take that back."""
        name = normalize(segment(project))
        caller, found = await self._changing.index(req, user, index, "release_modify", name)
        target = self._changing.target(found)
        reason = read_yank(await read_json(req))
        await self._front.change(target.yank, found, name, version_segment(version), reason)
        if reason is None:
            self._front.tell("ReleaseUnyanked", caller, found.path, project=name, version=version)
            answer(resp, message=f"project {name} version '{version}' is no longer yanked")
        else:
            self._front.tell("ReleaseYanked", caller, found.path, project=name, version=version, reason=reason)
            answer(resp, message=f"project {name} version '{version}' yanked")


class ChangedFile:
    """``/{user}/{index}/+f/…`` and ``/{user}/{index}/+e/…``."""

    def __init__(self, changing: Changing, sources: Sources, files: Files) -> None:
        self._changing = changing
        self._front = changing.front
        self._sources = sources
        self._files = files

    async def on_delete(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, **parts: str
    ) -> None:
        """Delete a file; with the last file goes the version."""
        path = below(req)
        caller, found = await self._changing.file(req, user, index, "release_delete", path)
        self._changing.refuse_non_volatile(req, found, "cannot delete version on non-volatile index")
        missing = f"package '{plain(f'{found.path}/{path}')}' doesn't exist"
        await self._front.change(deleted, missing, self._changing.source(found), found, "", path=path)
        self._front.tell("FileDeleted", caller, found.path, path=path)
        answer(resp, message=f"package '{found.path}/{path}' deleted")

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, **parts: str
    ) -> None:
        """Take the result of a test of a file: any JSON."""
        path = below(req)
        caller, found = await self._changing.file(req, user, index, "toxresult_upload", path)
        target = self._changing.target(found)
        data = await read_body(req, LARGEST_RESULT)
        who = caller.principal.name
        result = await self._sources.wait(found, self._take, found, target, path, data, who)
        self._front.tell("TestResultUploaded", caller, found.path, path=path, result=result)
        answer(resp, f"{found.path}/{result}", "toxresultpath")

    def _take(self, index: Index, target: PackageTarget, path: str, data: bytes, who: str | None) -> str:
        """Keep and record the result of a test, if it is JSON."""
        decode_json(data)
        kept = self._files.whole(data)
        try:
            self._files.keep(kept)
            added = self._front.change_here(add_result, self._files, target, index, path, kept, who)
        finally:
            self._files.release(kept)
        return f"{added}#sha256={kept.stored.sha256}"


def add_result(files: Files, target: PackageTarget, index: Index, path: str, kept: DraftFile, who: str | None) -> str:
    """Record the result of a test. Within a transaction."""
    files.confirm(kept)
    return target.add_result(index, path, kept.stored, who)


def deleted(missing: str, source: PackageSource, index: Index, name: str, **what: str) -> None:
    """Delete something. Within a transaction; what was never there is missed in the words that clients know."""
    try:
        source.delete(index, name, **what)
    except Gone:
        raise
    except NotFound:
        raise NotFound(missing) from None


def below(req: falcon.asgi.Request) -> str:
    """Return the address of a file below its index."""
    path: str = req.scope["path"]
    return path.split("/", 3)[3]


def plain(text: str) -> str:
    """Show text that came with a request in a sentence."""
    return ascii(text)[1:-1][:200]
