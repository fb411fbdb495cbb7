"""``/{user}/{index}/+simple/`` and ``/{user}/{index}/+simple/{project}/``: what installers read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ParamSpec

import falcon.asgi

from wheelgate.http.front import Front
from wheelgate.http.negotiation import best_coding, best_media_type
from wheelgate.http.ranges import has_it
from wheelgate.resources.package_paths import project_name, redirect
from wheelgate.services.inheritance import Resolution
from wheelgate.services.merging import Reading
from wheelgate.services.page_cache import CODINGS, Page, Pages, Rendered
from wheelgate.services.rendering import (
    below,
    list_as_html,
    list_as_json,
    project_as_html,
    project_as_json,
    relative_to,
)

P = ParamSpec("P")

JSON, HTML = "application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html"
SENT_AS = {
    "text/html": "text/html; charset=utf-8",
    JSON: JSON,
    "application/vnd.pypi.simple.latest+json": JSON,
    HTML: HTML,
    "application/vnd.pypi.simple.latest+html": HTML,
    "application/json": "application/json",
}
"""The media types of PEP 691 with what is sent for each, the one first that is sent to who does not care."""
OFFERS = tuple(SENT_AS)
COMMON = {"vary": "Accept, Accept-Encoding", "cache-control": "no-cache"}
GUARD = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
"""For HTML, which a browser may show."""
MANY = 2000
"""Files or projects from which on a page is rendered in a thread."""


class SimplePages:
    """Answers with the pages of an index, in the form that the client likes best."""

    def __init__(self, front: Front, reading: Reading, pages: Pages, *, absolute: bool) -> None:
        """Take what makes the pages, and whether they name whole addresses where relative ones would do."""
        self._front = front
        self._reading = reading
        self._pages = pages
        self._absolute = absolute

    async def project(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, resolution: Resolution, name: str
    ) -> None:
        """Answer with the page of a project."""
        media_type = readable_type(req)
        absolute = self._absolute or req.get_header("x-devpi-absolute-urls") is not None
        page = await self._project(
            resolution, name, media_type, self._front.outside.url(req) if absolute else "", absolute
        )
        if page.rendered.lacks_url:
            page = await self._project(resolution, name, media_type, self._front.outside.url(req), absolute)
        coding = offer(req, resp, page)
        if coding is not None:
            await self._send(resp, page, media_type, coding)

    async def listing(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, resolution: Resolution) -> None:
        """Answer with the list of all projects."""
        media_type = readable_type(req)
        page = self._pages.known(resolution, "", media_type)
        if page is None:
            page = await self._pages.get(resolution, "", media_type, partial(self._make_list, resolution, media_type))
        coding = offer(req, resp, page)
        if coding is not None:
            await self._send(resp, page, media_type, coding)

    async def _project(self, resolution: Resolution, name: str, *variant: *tuple[str, str, bool]) -> Page:
        page = self._pages.known(resolution, name, variant)
        if page is None:
            page = await self._pages.get(
                resolution, name, variant, partial(self._make_project, resolution, name, *variant)
            )
        return page

    async def _make_project(
        self, resolution: Resolution, name: str, media_type: str, url: str, absolute: bool
    ) -> Rendered:
        found = await self._reading.project(resolution, name)
        relative = relative_to(resolution.index)
        whole = below(url) if url else relative
        base = whole if absolute else relative
        render = project_as_json if media_type.endswith("json") else project_as_html
        lacks_url = not url and any(file.provenance for _, files in found.parts for file in files)
        return Rendered(await self._render(len(found), render, found, base, whole), found.stale, found.until, lacks_url)

    async def _make_list(self, resolution: Resolution, media_type: str) -> Rendered:
        found = await self._reading.listing(resolution)
        render = list_as_json if media_type.endswith("json") else list_as_html
        return Rendered(await self._render(len(found.names), render, found.names), found.stale, found.until)

    async def _render(self, entries: int, render: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs) -> bytes:
        if entries < MANY:
            return render(*args, **kwargs)
        return await self._pages.aside(render, *args, **kwargs)

    async def _send(self, resp: falcon.asgi.Response, page: Page, media_type: str, coding: str) -> None:
        if not media_type.endswith("json"):
            resp.set_headers(GUARD)
        resp.content_type = media_type
        if coding:
            resp.set_header("content-encoding", coding)
        resp.data = await self._pages.content(page, coding)


class SimpleListResource:
    """``GET /{user}/{index}/+simple/``."""

    def __init__(self, front: Front, pages: SimplePages) -> None:
        self._front = front
        self._pages = pages

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """List all projects of an index and its bases."""
        if req.scope["path"][-1] != "/":
            redirect(req, resp, "+simple/")
            return
        await self._pages.listing(req, resp, await self._front.index(req, user, index))


class SimpleProjectResource:
    """``GET /{user}/{index}/+simple/{project}/``."""

    def __init__(self, front: Front, pages: SimplePages) -> None:
        self._front = front
        self._pages = pages

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str
    ) -> None:
        """Show the files of a project on an index and its bases."""
        name = project_name(req, resp, project, slash=True)
        if name:
            await self._pages.project(req, resp, await self._front.index(req, user, index, name), name)


def offer(req: falcon.asgi.Request, resp: falcon.asgi.Response, page: Page) -> str | None:
    """Return the coding in which the client is to be sent a page, empty for none; None if it has the page already."""
    coding = page.coding(best_coding(req.get_header("accept-encoding", default=""), CODINGS))
    etag = page.etag(coding)
    resp.set_headers({**COMMON, "etag": etag})
    if page.rendered.stale:
        resp.set_header("x-wheelgate-stale", "true")
    if not has_it(req.get_header, etag):
        return coding
    resp.status_code = 304
    return None


def readable_type(req: falcon.asgi.Request) -> str:
    """Return the media type to answer with.

    Raises:
        falcon.HTTPNotAcceptable: the client can read none of them.
    """
    best = best_media_type(req.get_header("accept", default=""), OFFERS)
    if best is None:
        raise falcon.HTTPNotAcceptable(
            description=f"this page exists as {', '.join(OFFERS)}; the header 'Accept' takes none of them"
        )
    return SENT_AS[best]
