"""``DELETE`` and ``PATCH`` of projects, versions and files, and uploads of test results."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import falcon.asgi

from wheelgate.errors import Forbidden, Gone, NotFound
from wheelgate.files.server_files import Files
from wheelgate.http.answers import answer
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.json_bodies import decode_json, read_json
from wheelgate.http.path_segments import path_segment, version_segment
from wheelgate.http.request import read_body
from wheelgate.identity.identify import Caller
from wheelgate.package_reader import PackageReader
from wheelgate.packages import PackageSource, PackageTarget, ReceivedFile, StoredFile, normalize
from wheelgate.resources.bodies import read_status, read_yank
from wheelgate.resources.files import possible_projects, project_at
from wheelgate.rights.confirmation import Claim, Confirm
from wheelgate.services.indices import Indices, index_resource
from wheelgate.services.packages.sources import Sources
from wheelgate.services.releases.uploads import upload_target
from wheelgate.values import Index

MAX_TEST_RESULT_BYTES = 16_000_000
"""A test result contains the output of the tools that ran."""


class ChangeAccess:
    """The first steps of the resources below: find the index, check the permission, find the package source."""

    def __init__(self, context: HandlerContext, indices: Indices, sources: Sources) -> None:
        self.context = context
        self._indices = indices
        self._sources = sources

    async def to_index(
        self, req: falcon.asgi.Request, user: str, index: str, permission: str, project: str = ""
    ) -> tuple[Caller, Index]:
        """Return the caller and the index, if the caller has the permission for the project on it.

        Raises:
            Refusal: the index does not exist, or the caller does not have the permission.
        """
        caller = await self.context.identify(req)
        resolution = await self.context.index_rights.find(
            caller, path_segment(user), path_segment(index), permission, project
        )
        found = resolution.index
        await self.context.require(caller, permission, index_resource(found, project))
        return caller, found

    async def to_file(
        self, req: falcon.asgi.Request, user: str, index: str, permission: str, path: str
    ) -> tuple[Caller, Index]:
        """Return the caller and the index, if the caller has the permission for the file at ``path`` on it.

        Raises:
            Refusal: as :meth:`to_index` does.
        """
        caller, found = await self.to_index(req, user, index, permission)
        restriction, source = caller.principal.restriction, self._sources.of(found)
        if restriction is not None and restriction.projects_for(permission) is not None and source is not None:
            project, _ = await project_at(self._sources, source, found, path)
            self.context.rights.require_restriction(caller, permission, index_resource(found, project))
        return caller, found

    def source(self, index: Index) -> PackageSource:
        """Return the package source of an index. Raise ``NotFound`` if it has none."""
        source = self._sources.of(index)
        if source is None:
            raise NotFound(f"index {index.path} has no packages")
        return source

    def target(self, index: Index) -> PackageTarget:
        """Return the package target of an index. Raise as ``upload_target`` does if it has none."""
        return upload_target(self._indices.type_of(index), index)

    def refuse_non_volatile(self, req: falcon.asgi.Request, index: Index, sentence: str) -> None:
        """Refuse to delete from an index that is not volatile, unless the request has the parameter ``force``."""
        if not index.config.get("volatile", True) and "force" not in req.params:
            raise Forbidden(sentence)


class ProjectChangesResource:
    """``DELETE`` and ``PATCH /{user}/{index}/{project}``."""

    def __init__(self, access: ChangeAccess) -> None:
        self._access = access
        self._context = access.context

    async def on_delete(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str
    ) -> None:
        """Delete a project with all its files."""
        name = normalize(path_segment(project))
        caller, found = await self._access.to_index(req, user, index, "release_delete", name)
        source = self._access.source(found)
        self._access.refuse_non_volatile(req, found, f"project {as_ascii(name)} is on non-volatile index {found.path}")
        claims = [Claim(caller, "release_delete", index_resource(found, name))]
        await self._context.change_stores(claims, delete_packages, "project not found", source, found, name)
        self._context.announce("ProjectDeleted", caller, found.path, project=name)
        answer(resp, message=f"project {name} deleted from stage {found.path}")

    async def on_patch(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str
    ) -> None:
        """Set the status of a project."""
        name = normalize(path_segment(project))
        caller, found = await self._access.to_index(req, user, index, "release_modify", name)
        target = self._access.target(found)
        status, reason = read_status(await read_json(req))
        claims = [Claim(caller, "release_modify", index_resource(found, name))]
        await self._context.change_stores(claims, target.set_status, found, name, status, reason)
        self._context.announce("ProjectStatusChanged", caller, found.path, project=name, status=status, reason=reason)
        answer(resp, message=f"project {name} is now {status}")


class VersionChangesResource:
    """``DELETE`` and ``PATCH /{user}/{index}/{project}/{version}``."""

    def __init__(self, access: ChangeAccess) -> None:
        self._access = access
        self._context = access.context

    async def on_delete(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str, version: str
    ) -> None:
        """Delete a version; deleting the last one deletes the project."""
        name = normalize(path_segment(project))
        caller, found = await self._access.to_index(req, user, index, "release_delete", name)
        source = self._access.source(found)
        self._access.refuse_non_volatile(req, found, "cannot delete version on non-volatile index")
        missing = f"version '{as_ascii(version)}' of project {as_ascii(name)} not found on stage '{found.path}'"
        claims = [Claim(caller, "release_delete", index_resource(found, name))]
        await self._context.change_stores(
            claims, delete_packages, missing, source, found, name, version=version_segment(version)
        )
        self._context.announce("VersionDeleted", caller, found.path, project=name, version=version)
        answer(resp, message=f"project {name} version '{version}' deleted")

    async def on_patch(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str, version: str
    ) -> None:
        """Yank a version, or undo a yank."""
        name = normalize(path_segment(project))
        caller, found = await self._access.to_index(req, user, index, "release_modify", name)
        target = self._access.target(found)
        reason = read_yank(await read_json(req))
        claims = [Claim(caller, "release_modify", index_resource(found, name))]
        await self._context.change_stores(claims, target.yank, found, name, version_segment(version), reason)
        if reason is None:
            self._context.announce("ReleaseUnyanked", caller, found.path, project=name, version=version)
            answer(resp, message=f"project {name} version '{version}' is no longer yanked")
        else:
            self._context.announce("ReleaseYanked", caller, found.path, project=name, version=version, reason=reason)
            answer(resp, message=f"project {name} version '{version}' yanked")


class FileChangesResource:
    """``DELETE`` and ``POST /{user}/{index}/+f/…`` and ``/{user}/{index}/+e/…``."""

    def __init__(self, access: ChangeAccess, sources: Sources, files: Files, packages: PackageReader) -> None:
        self._access = access
        self._context = access.context
        self._sources = sources
        self._files = files
        self._packages = packages

    async def on_delete(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, **parts: str
    ) -> None:
        """Delete a file; deleting the last one deletes the version."""
        path = path_below_index(req)
        caller, found = await self._access.to_file(req, user, index, "release_delete", path)
        self._access.refuse_non_volatile(req, found, "cannot delete version on non-volatile index")
        missing = f"package '{as_ascii(f'{found.path}/{path}')}' doesn't exist"
        claims, source = [Claim(caller, "release_delete", index_resource(found, ""))], self._access.source(found)
        project = await self._sources.run_in_thread(found, project_of_file, self._packages, found, path)
        await self._context.change_stores(claims, delete_packages, missing, source, found, "", path=path)
        self._context.announce("FileDeleted", caller, found.path, project=project, path=path)
        answer(resp, message=f"package '{found.path}/{path}' deleted")

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, **parts: str
    ) -> None:
        """Take the result of testing a file: any JSON."""
        path = path_below_index(req)
        caller, found = await self._access.to_file(req, user, index, "toxresult_upload", path)
        target = self._access.target(found)
        data = await read_body(req, MAX_TEST_RESULT_BYTES)
        record = partial(target.add_test_result, found, path, who=caller.principal.name)
        confirm = await self._context.confirming([Claim(caller, "toxresult_upload", index_resource(found, ""))])
        result = await self._sources.run_in_thread(found, self._store_result, data, record, confirm)
        project = await self._sources.run_in_thread(found, project_of_file, self._packages, found, path)
        self._context.announce("TestResultUploaded", caller, found.path, project=project, path=path, result=result)
        answer(resp, f"{found.path}/{result}", "toxresultpath")

    def _store_result(self, data: bytes, record: Callable[[StoredFile], str], confirm: Confirm) -> str:
        """Store and record a test result if it is JSON; return its path and hash."""
        decode_json(data)
        stored = self._files.from_bytes(data)
        try:
            self._files.store(stored)
            added = self._context.change_stores_in_this_thread(
                confirm, partial(record_result, self._files, stored, record)
            )
        finally:
            self._files.clean_up(stored)
        return f"{added}#sha256={stored.stored.sha256}"


def record_result(files: Files, stored: ReceivedFile, record: Callable[[StoredFile], str]) -> str:
    """Record a test result. Runs inside a transaction."""
    files.ensure_stored(stored)
    return record(stored.stored)


def delete_packages(missing: str, source: PackageSource, index: Index, name: str, **what: str) -> None:
    """Delete a project, a version or a file. Runs inside a transaction.

    Raises:
        Gone: it was deleted before.
        NotFound: it never existed; the message is ``missing``, which clients know.
    """
    try:
        source.delete(index, name, **what)
    except Gone:
        raise
    except NotFound:
        raise NotFound(missing) from None


def project_of_file(packages: PackageReader, index: Index, path: str) -> str:
    """Return the normalised name of the project of a file, a test result or a documentation; empty if unknown.

    It asks no upstream: whoever deletes a downloaded file must not wait for one.
    """
    for project in possible_projects(path.rpartition("/")[2]):
        releases = packages.releases(index.path, project)
        if any(file.path == path for release in releases for file in release.files):
            return project
    return ""


def path_below_index(req: falcon.asgi.Request) -> str:
    """Return the path of a file below its index."""
    path: str = req.scope["path"]
    return path.split("/", 3)[3]


def as_ascii(text: str) -> str:
    """Quote the text of a request for a message: in ASCII, cut to 200 characters."""
    return ascii(text)[1:-1][:200]
