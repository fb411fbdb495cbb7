"""``/{user}/{index}/+simple/`` and ``/{user}/{index}/+simple/{project}/``: the pages that installers read."""

from __future__ import annotations

import falcon.asgi

from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.negotiation import best_coding, best_media_type
from wheelgate.http.ranges import is_not_modified
from wheelgate.resources.package_paths import project_name, redirect
from wheelgate.services.packages.inheritance import Resolution
from wheelgate.services.packages.page_cache import CachedPage, PageCache
from wheelgate.services.packages.page_renderer import CONTENT_CODINGS, PageVariant

SIMPLE_JSON, SIMPLE_HTML = "application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html"
SIMPLE_PAGE_CONTENT_TYPES = {
    "text/html": "text/html; charset=utf-8",
    SIMPLE_JSON: SIMPLE_JSON,
    "application/vnd.pypi.simple.latest+json": SIMPLE_JSON,
    SIMPLE_HTML: SIMPLE_HTML,
    "application/vnd.pypi.simple.latest+html": SIMPLE_HTML,
    "application/json": "application/json",
}
"""The media types of PEP 691, each with the Content-Type that is sent for it; clients without a preference get HTML."""
OFFERED_TYPES = tuple(SIMPLE_PAGE_CONTENT_TYPES)
PAGE_HEADERS = {"vary": "Accept, Accept-Encoding", "cache-control": "no-cache"}
HTML_HEADERS = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
"""For HTML, which a browser may show."""


class SimplePages:
    """Answers with the pages of an index, in the form that the client prefers."""

    def __init__(self, context: HandlerContext, pages: PageCache, *, absolute: bool) -> None:
        """Take the parts, and whether all pages have absolute URLs."""
        self._context = context
        self._pages = pages
        self._absolute = absolute

    async def project(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, resolution: Resolution, name: str
    ) -> None:
        """Answer with the page of a project."""
        media_type = acceptable_type(req)
        absolute = self._absolute or req.get_header("x-devpi-absolute-urls") is not None
        variant = PageVariant(media_type, absolute, self._context.server_url(req) if absolute else "")
        page = await self._pages.get(resolution, name, variant)
        if page.rendered.needs_server_url:  # Only pages with provenance do, so others are the same for every Host.
            page = await self._pages.get(resolution, name, variant._replace(server_url=self._context.server_url(req)))
        await self._send(req, resp, page)

    async def listing(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, resolution: Resolution) -> None:
        """Answer with the list of all projects."""
        page = await self._pages.get(resolution, "", PageVariant(acceptable_type(req)))
        await self._send(req, resp, page)

    async def _send(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, page: CachedPage) -> None:
        """Send a page in the coding that the client prefers, or 304 if the client has it already."""
        coding = page.coding(best_coding(req.get_header("accept-encoding", default=""), CONTENT_CODINGS))
        etag = page.etag(coding)
        resp.set_headers({**PAGE_HEADERS, "etag": etag})
        if page.rendered.stale:
            resp.set_header("x-wheelgate-stale", "true")
        if is_not_modified(req.get_header, etag):
            resp.status_code = 304
            return
        media_type = page.variant.media_type
        if not media_type.endswith("json"):
            resp.set_headers(HTML_HEADERS)
        resp.content_type = media_type
        if coding:
            resp.set_header("content-encoding", coding)
        resp.data = await self._pages.content(page, coding)


class SimpleListResource:
    """``GET /{user}/{index}/+simple/``."""

    def __init__(self, context: HandlerContext, pages: SimplePages) -> None:
        self._context = context
        self._pages = pages

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str) -> None:
        """List all projects of an index and its bases."""
        if req.scope["path"][-1] != "/":
            redirect(req, resp, "+simple/")
            return
        await self._pages.listing(req, resp, await self._context.readable_index(req, user, index))


class SimpleProjectResource:
    """``GET /{user}/{index}/+simple/{project}/``."""

    def __init__(self, context: HandlerContext, pages: SimplePages) -> None:
        self._context = context
        self._pages = pages

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str
    ) -> None:
        """Show the files of a project on an index and its bases."""
        name = project_name(req, resp, project, slash=True)
        if name:
            await self._pages.project(req, resp, await self._context.readable_index(req, user, index, name), name)


def acceptable_type(req: falcon.asgi.Request) -> str:
    """Return the Content-Type to answer with.

    Raises:
        falcon.HTTPNotAcceptable: the client accepts none of those that are offered.
    """
    best = best_media_type(req.get_header("accept", default=""), OFFERED_TYPES)
    if best is None:
        raise falcon.HTTPNotAcceptable(
            description=f"this page exists as {', '.join(OFFERED_TYPES)}; the header 'Accept' accepts none of them"
        )
    return SIMPLE_PAGE_CONTENT_TYPES[best]
