"""``/{user}/{index}/+f/…`` and ``/+e/…``: the bytes of files, their metadata siblings, and what is known of them."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

import falcon.asgi

from wheelgate.errors import NotFound
from wheelgate.files.sending import CHUNK, LOOK, Gone, Reader, growing_chunks
from wheelgate.http.answers import PLAIN, answer
from wheelgate.http.front import Front, segment
from wheelgate.http.ranges import Unsatisfiable, has_it, http_date, wanted
from wheelgate.http.request import GONE, SENDFILE
from wheelgate.packages import Elsewhere, File, Growing, PackageSource, StoredFile, normalize
from wheelgate.services.inheritance import Inheritance, Resolution
from wheelgate.services.sources import Sources
from wheelgate.store.access import StoreAccess
from wheelgate.store.serial_cache import SerialCache
from wheelgate.threads.pool import Pool
from wheelgate.values import Index

METADATA = ".metadata"
PROVENANCE = ".provenance"
FOREVER = "max-age=365000000, immutable, public"
OPAQUE = "application/octet-stream"
TYPES = {
    ".gz": "application/x-tar",
    ".bz2": "application/x-tar",
    ".xz": "application/x-tar",
    ".zip": "application/zip",
    METADATA: "text/plain; charset=utf-8",
    PROVENANCE: "application/vnd.pypi.integrity.v1+json",
}
"""By suffix. Whatever a browser might run, such as HTML or SVG, is sent as :data:`OPAQUE`."""

FILE_CACHE_ENTRIES = 10_000
"""Files of which size and hash are remembered."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request points: an address below an index."""

    index: Index
    source: PackageSource
    path: str


class FileResource:
    """Sends files."""

    def __init__(
        self, front: Front, inheritance: Inheritance, sources: Sources, access: StoreAccess, reader: Reader, pool: Pool
    ) -> None:
        self._front = front
        self._inheritance = inheritance
        self._sources = sources
        self._access = access
        self._stored: SerialCache[tuple[str, str], StoredFile] = SerialCache(FILE_CACHE_ENTRIES)
        """By the paths of an index, and of a file below it."""
        self._reader = reader
        self._pool = pool

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, name: str, **folders: str
    ) -> None:
        """Send a file, its metadata sibling, its provenance, or, to who asks for JSON, what is known of it."""
        path = address(name, folders)
        caller = await self._front.caller(req)
        resolution, stored = await self._front.read(self._look, f"{segment(user)}/{segment(index)}", path)
        found = (await self._front.indices.check(caller, user, index, resolution, project="")).index
        place = Place(found, self._source(found), path)
        restriction = caller.principal.restriction
        if restriction is not None and restriction.projects is not None:
            project = await self._project(place)
            await self._front.indices.check(caller, user, index, resolution, project=project)
        if path.endswith(METADATA):
            method, owner = place.source.core_metadata, path.removesuffix(METADATA)
            self._send_text(req, resp, await self._sources.wait(place.index, method, place.index, owner), METADATA)
        elif path.endswith(PROVENANCE):
            method, owner = place.source.provenance, path.removesuffix(PROVENANCE)
            self._send_text(req, resp, await self._sources.wait(place.index, method, place.index, owner), PROVENANCE)
        elif "application/json" in req.get_header("accept", default=""):
            await self._describe(resp, place)
        elif stored is not None:
            await self._send(req, resp, stored, name)
        else:
            await self._find_and_send(req, resp, place, name)

    def _look(self, index: str, path: str) -> tuple[Resolution | None, StoredFile | None]:
        """Return the index that is meant and, if nothing has changed since it was asked for last, the file."""
        return self._inheritance.find(index), self._stored.get(self._access.read_serial(), (index, path))

    async def _project(self, place: Place) -> str | None:
        """Return the project that a file, or what stands beside it, belongs to; None if nobody knows."""
        owner = place.path.removesuffix(METADATA).removesuffix(PROVENANCE)
        project, _ = await project_at(self._sources, place.source, place.index, owner)
        return project

    def _source(self, index: Index) -> PackageSource:
        source = self._sources.of(index)
        if source is None:
            raise NotFound(f"index '{index.path}' holds no files, or the plugin that brings them is not there")
        return source

    async def _find_and_send(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, place: Place, name: str
    ) -> None:
        """Ask where the file is, and send it from there."""
        serial = await self._front.read(self._access.read_serial)
        found = await self._sources.ask(place.index, place.source.open, place.index, place.path)
        if isinstance(found, StoredFile):
            self._stored.put(serial, (place.index.path, place.path), found)
            await self._send(req, resp, found, name)
        elif isinstance(found, Elsewhere):
            resp.status_code = 302
            resp.content_type = PLAIN
            resp.set_header("location", found.url)
        else:
            await self._send_growing(req, resp, found, name)

    async def _send(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, stored: StoredFile, name: str) -> None:
        """Send a stored file, or the part of it that is asked for."""
        etag = f'"{stored.sha256}"'
        resp.set_header("etag", etag)
        resp.set_header("cache-control", FOREVER)
        resp.set_header("vary", "Accept")
        resp.set_header("accept-ranges", "bytes")
        if has_it(req.get_header, etag):
            resp.status_code = 304
            return
        content = await self._reader.open(stored)
        if has_it(req.get_header, etag, content.modified):
            resp.status_code = 304
            content.close()
            return
        start, stop = 0, stored.size
        try:
            part = wanted(req.get_header, etag, stored.size, content.modified) if req.method == "GET" else None
        except Unsatisfiable:
            content.close()
            answer(resp, message=f"the file has {stored.size} bytes, the range asked for lies behind them", status=416)
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
        elif stop - start <= CHUNK:
            try:
                resp.data = await content.part(start, stop)
            finally:
                content.close()
        else:
            resp.content_length = stop - start
            resp.stream = content.chunks(start, stop, gone(req), req.scope.get(SENDFILE))

    async def _send_growing(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, growing: Growing, name: str
    ) -> None:
        """Send a file while it is fetched; what goes wrong before its first byte still gets a proper answer."""
        there, whole = growing.available()
        while not there and not whole:
            await asyncio.sleep(LOOK)
            there, whole = growing.available()
        if whole:
            await self._send(req, resp, growing.stored(), name)
            return
        resp.content_type = content_type(name)
        resp.set_header("x-accel-buffering", "no")
        if growing.size is not None:
            resp.content_length = growing.size
        if req.method == "GET":
            resp.stream = growing_chunks(growing, self._pool, gone(req))

    def _send_text(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, text: bytes, suffix: str) -> None:
        """Send what belongs to a file."""
        etag = f'"{hashlib.sha256(text).hexdigest()}"'
        resp.set_header("etag", etag)
        resp.set_header("cache-control", FOREVER)
        if has_it(req.get_header, etag):
            resp.status_code = 304
        else:
            resp.content_type = TYPES[suffix]
            resp.data = text

    async def _describe(self, resp: falcon.asgi.Response, place: Place) -> None:
        """Say what is known of a file."""
        project, found = await project_at(self._sources, place.source, place.index, place.path)
        if project is None or found is None:
            raise NotFound("no such file")
        answer(resp, description(project, found), "releasefilemeta")
        resp.set_header("vary", "Accept")


def gone(req: falcon.asgi.Request) -> Gone:
    """Return what says whether the client has gone."""
    told: Gone = req.scope.get(GONE, lambda: False)
    return told


def address(name: str, folders: dict[str, str]) -> str:
    """Put the address of a file below its index together.

    Raises:
        falcon.HTTPNotFound: it has control characters.
    """
    kind = "+f" if "first" in folders else "+e"
    path = "/".join((kind, *folders.values(), name))
    if not path.isprintable():
        raise falcon.HTTPNotFound
    return path


def content_type(name: str) -> str:
    """Return the type of a file's content, by its name."""
    return TYPES.get(name[name.rfind(".") :].lower(), OPAQUE)


async def project_at(
    sources: Sources, source: PackageSource, index: Index, path: str
) -> tuple[str, File] | tuple[None, None]:
    """Return the normalised name of the project that the file at ``path`` belongs to, and what is known of the file."""
    for project in projects(path.rpartition("/")[2]):
        known = await sources.ask(index, source.project, index, project)
        found = next((file for file in known.files if file.path == path), None) if known else None
        if found is not None:
            return project, found
    return None, None


def projects(name: str) -> list[str]:
    """Return the names of the projects that a file of that name may belong to: a hyphen ends each of them."""
    words = name.split("-")
    return [normalize("-".join(words[:count])) for count in range(1, len(words))]


def description(project: str, file: File) -> dict[str, Any]:
    """Return what is known of a file, as the wire shows it."""
    spec = f"sha256={file.hashes['sha256']}" if "sha256" in file.hashes else ""
    shown = {"hash_spec": spec, "hashes": dict(file.hashes), "project": project, "version": file.version}
    return shown if file.upload_time is None else {**shown, "last_modified": file.upload_time}
