"""``/{user}/{index}/+f/…`` and ``/+e/…``: files, with their metadata, provenance and descriptions."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import falcon.asgi

from wheelgate.errors import NotFound
from wheelgate.files.sending import DOWNLOAD_POLL_SECONDS, SEND_CHUNK_BYTES, ClientGone, FileReader, download_chunks
from wheelgate.http.answers import PLAIN_TYPE, answer
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.path_segments import path_segment
from wheelgate.http.ranges import RangeNotSatisfiable, http_date, is_not_modified, requested_range
from wheelgate.http.scope import CLIENT_IS_GONE, FILE_SENDER
from wheelgate.packages import (
    MAX_PROJECT_NAME_CHARS,
    File,
    OngoingDownload,
    PackageSource,
    Redirect,
    StoredFile,
    is_project_name,
    normalize,
)
from wheelgate.services.packages.inheritance import Inheritance, Resolution
from wheelgate.services.packages.sources import Sources
from wheelgate.store.access import StoreAccess
from wheelgate.store.serial_cache import SerialCache
from wheelgate.threads.pool import ThreadPool
from wheelgate.values import Index

METADATA_SUFFIX = ".metadata"
PROVENANCE_SUFFIX = ".provenance"
CACHE_FOREVER = "max-age=365000000, immutable, public"
SECONDS_PER_DAY = 86_400
BINARY_TYPE = "application/octet-stream"
CONTENT_TYPE_BY_SUFFIX = {
    ".gz": "application/x-tar",
    ".bz2": "application/x-tar",
    ".xz": "application/x-tar",
    ".zip": "application/zip",
    METADATA_SUFFIX: "text/plain; charset=utf-8",
    PROVENANCE_SUFFIX: "application/vnd.pypi.integrity.v1+json",
}
"""By suffix. All other files are sent as :data:`BINARY_TYPE`, because a browser might run HTML or SVG."""

FILE_CACHE_ENTRIES = 10_000
"""Files whose size and hash a worker caches."""
MAX_FILENAME_SPLITS = 20
"""Ways to split a file's name into project and version that are tried. A mirror may ask its upstream for each."""
DOWNLOAD_START_BYTES = 1 << 18
"""Bytes of a download that must be there before its answer begins. A smaller file that fails gets an error status."""
DOWNLOAD_START_SECONDS = 5.0
"""Seconds after which the answer of a slow download begins with fewer bytes. pip waits 15 seconds for an answer."""


@dataclass(frozen=True, slots=True)
class FileLocation:
    """A path below an index, and the package source of the index."""

    index: Index
    source: PackageSource
    path: str


class FileResource:
    """Sends files."""

    def __init__(
        self,
        context: HandlerContext,
        inheritance: Inheritance,
        sources: Sources,
        access: StoreAccess,
        reader: FileReader,
        pool: ThreadPool,
    ) -> None:
        self._context = context
        self._inheritance = inheritance
        self._sources = sources
        self._access = access
        self._stored: SerialCache[tuple[str, str, int], StoredFile] = SerialCache(FILE_CACHE_ENTRIES)
        """By the paths of an index, and of a file below it, and by day: a source is asked once a day at least, so that
        it can record that the file is in use."""
        self._reader = reader
        self._pool = pool

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, name: str, **folders: str
    ) -> None:
        """Send a file, its metadata or its provenance; clients that accept JSON get a description of the file."""
        path = requested_path(name, folders)
        caller = await self._context.identify(req)
        resolution, stored = await self._context.read_stores(
            self._look_up, f"{path_segment(user)}/{path_segment(index)}", path
        )
        found = (await self._context.index_rights.check(caller, user, index, resolution, project="")).index
        location = FileLocation(found, self._source(found), path)
        restriction = caller.principal.restriction
        if restriction is not None and restriction.projects_for("index_read") is not None:
            project = await self._project(location)
            await self._context.index_rights.check(caller, user, index, resolution, project=project)
        if path.endswith(METADATA_SUFFIX):
            method, owner = location.source.core_metadata, path.removesuffix(METADATA_SUFFIX)
            self._send_text(req, resp, await self._sources.run_in_thread(found, method, found, owner), METADATA_SUFFIX)
        elif path.endswith(PROVENANCE_SUFFIX):
            method, owner = location.source.provenance, path.removesuffix(PROVENANCE_SUFFIX)
            self._send_text(
                req, resp, await self._sources.run_in_thread(found, method, found, owner), PROVENANCE_SUFFIX
            )
        elif "application/json" in req.get_header("accept", default=""):
            await self._describe(resp, location)
        elif stored is not None:
            await self._send(req, resp, stored, name)
        else:
            await self._find_and_send(req, resp, location, name)

    def _look_up(self, index: str, path: str) -> tuple[Resolution | None, StoredFile | None]:
        """Return the index, and the file if it was sent before and the stores have not changed since."""
        return self._inheritance.find(index), self._stored.get(self._access.read_serial(), (index, path, day()))

    async def _project(self, location: FileLocation) -> str | None:
        """Return the project that a file, its metadata or its provenance belongs to; None if it is not known."""
        owner = location.path.removesuffix(METADATA_SUFFIX).removesuffix(PROVENANCE_SUFFIX)
        project, _ = await project_at(self._sources, location.source, location.index, owner)
        return project

    def _source(self, index: Index) -> PackageSource:
        source = self._sources.of(index)
        if source is None:
            raise NotFound(f"index '{index.path}' has no files, or the plugin that provides them is not installed")
        return source

    async def _find_and_send(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, location: FileLocation, name: str
    ) -> None:
        """Ask the source where the file is, and send it from there."""
        serial = await self._context.read_stores(self._access.read_serial)
        found = await self._sources.call(location.index, location.source.open, location.index, location.path)
        if isinstance(found, StoredFile):
            self._stored.put(serial, (location.index.path, location.path, day()), found)
            await self._send(req, resp, found, name)
        elif isinstance(found, Redirect):
            resp.status_code = 302
            resp.content_type = PLAIN_TYPE
            resp.set_header("location", found.url)
        else:
            await self._send_growing(req, resp, found, name)

    async def _send(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, stored: StoredFile, name: str) -> None:
        """Send a stored file, or the requested range of it."""
        etag = f'"{stored.sha256}"'
        resp.set_header("etag", etag)
        resp.set_header("cache-control", CACHE_FOREVER)
        resp.set_header("vary", "Accept")
        resp.set_header("accept-ranges", "bytes")
        if is_not_modified(req.get_header, etag):
            resp.status_code = 304
            return
        content = await self._reader.open(stored)
        if is_not_modified(req.get_header, etag, content.modified):
            resp.status_code = 304
            content.close()
            return
        start, stop = 0, stored.size
        try:
            part = requested_range(req.get_header, etag, stored.size, content.modified) if req.method == "GET" else None
        except RangeNotSatisfiable:
            content.close()
            answer(resp, message=f"the file has {stored.size} bytes; the requested range begins after them", status=416)
            resp.set_header("content-range", f"bytes */{stored.size}")
            return
        if part is not None:
            start, stop = part
            resp.status_code = 206
            resp.set_header("content-range", f"bytes {start}-{stop - 1}/{stored.size}")
        resp.content_type = content_type(name)
        resp.set_header("last-modified", http_date(content.modified))
        if req.method == "HEAD":
            content.close()
            resp.content_length = stop - start
        elif stop - start <= SEND_CHUNK_BYTES:
            try:
                resp.data = await content.part(start, stop)
            finally:
                content.close()
        else:
            resp.content_length = stop - start
            resp.stream = content.chunks(start, stop, client_is_gone(req), req.scope.get(FILE_SENDER))

    async def _send_growing(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, growing: OngoingDownload, name: str
    ) -> None:
        """Send a file while the server downloads it. A failure before the answer begins still gets an error status."""
        started = time.monotonic()
        available, whole = growing.available()
        while not whole and available < DOWNLOAD_START_BYTES:
            if available and (req.method == "HEAD" or time.monotonic() - started > DOWNLOAD_START_SECONDS):
                break
            await asyncio.sleep(DOWNLOAD_POLL_SECONDS)
            available, whole = growing.available()
        if whole:
            await self._send(req, resp, growing.stored(), name)
            return
        resp.content_type = content_type(name)
        resp.set_header("x-accel-buffering", "no")
        if growing.size is not None:
            resp.content_length = growing.size
        if req.method == "GET":
            resp.stream = download_chunks(growing, self._pool, client_is_gone(req))

    def _send_text(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, text: bytes, suffix: str) -> None:
        """Send the metadata or the provenance of a file."""
        etag = f'"{hashlib.sha256(text).hexdigest()}"'
        resp.set_header("etag", etag)
        resp.set_header("cache-control", CACHE_FOREVER)
        if is_not_modified(req.get_header, etag):
            resp.status_code = 304
        else:
            resp.content_type = CONTENT_TYPE_BY_SUFFIX[suffix]
            resp.data = text

    async def _describe(self, resp: falcon.asgi.Response, location: FileLocation) -> None:
        """Answer with a description of a file."""
        project, found = await project_at(self._sources, location.source, location.index, location.path)
        if project is None or found is None:
            raise NotFound("no such file")
        answer(resp, describe_file(project, found), "releasefilemeta")
        resp.set_header("vary", "Accept")


def day() -> int:
    """Return the number of days since 1970."""
    return int(time.time() // SECONDS_PER_DAY)


def client_is_gone(req: falcon.asgi.Request) -> ClientGone:
    """Return the function that says whether the client has closed the connection."""
    is_gone: ClientGone = req.scope.get(CLIENT_IS_GONE, lambda: False)
    return is_gone


def requested_path(name: str, folders: dict[str, str]) -> str:
    """Return the path of a file below its index.

    Raises:
        falcon.HTTPNotFound: it contains control characters.
    """
    kind = "+f" if "first" in folders else "+e"
    path = "/".join((kind, *folders.values(), name))
    if not path.isprintable():
        raise falcon.HTTPNotFound
    return path


def content_type(name: str) -> str:
    """Return the Content-Type of a file by its name."""
    return CONTENT_TYPE_BY_SUFFIX.get(name[name.rfind(".") :].lower(), BINARY_TYPE)


async def project_at(
    sources: Sources, source: PackageSource, index: Index, path: str
) -> tuple[str, File] | tuple[None, None]:
    """Return the normalised name of the project of the file at ``path``, and the file; None for both if unknown."""
    for project in possible_projects(path.rpartition("/")[2]):
        with suppress(NotFound):
            known = await sources.call(index, source.project, index, project)
            found = next((file for file in known.files if file.path == path), None) if known else None
            if found is not None:
                return project, found
    return None, None


def possible_projects(name: str) -> list[str]:
    """Return the projects that a file of that name may belong to, the likeliest first, at most ``MAX_FILENAME_SPLITS``.

    The project's name ends before one of the hyphens, mostly before one that a digit follows.
    """
    ends = [match.start() for match in re.finditer("-", name[: MAX_PROJECT_NAME_CHARS + 1])]
    likeliest_first = sorted(ends, key=lambda end: not name[end + 1 : end + 2].isdigit())
    names = dict.fromkeys(normalize(name[:end]) for end in likeliest_first if is_project_name(name[:end]))
    return list(names)[:MAX_FILENAME_SPLITS]


def describe_file(project: str, file: File) -> dict[str, Any]:
    """Return the description of a file, as JSON."""
    spec = f"sha256={file.hashes['sha256']}" if "sha256" in file.hashes else ""
    known = {"hash_spec": spec, "hashes": dict(file.hashes), "project": project, "version": file.version}
    return known if file.upload_time is None else {**known, "last_modified": file.upload_time}
