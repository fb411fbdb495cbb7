"""Pages of anonymous readers, kept until something changes, and compressed once."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

import falcon.asgi

from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.negotiation import best_coding
from wheelgate.identity.identify import Caller
from wheelgate.providers import RouteResponse
from wheelgate.services.packages.page_renderer import CONTENT_CODINGS, compress_content
from wheelgate.store.serial_cache import SerialCache

MAX_KEPT_PAGES = 100
"""Pages that a worker keeps for each address template; one has at most 50 kB."""
LISTING_PERMISSIONS = ("user_list", "user_read", "index_read")
"""The permissions that decide what a page shows."""

Key = tuple[str, str, str]
"""The path, the query, and the server's address as the client must write it."""


class KeptPage:
    """A page in each coding that was asked for. No secret of its reader is in it, which the size could reveal."""

    def __init__(self, response: RouteResponse) -> None:
        self._by_coding = {"": response}

    def coded(self, coding: str) -> RouteResponse:
        """Return the page in a coding; each coding has an entity tag of its own (RFC 9110, section 8.8.3)."""
        if coding not in self._by_coding:
            plain = self._by_coding[""]
            headers = {**plain.headers, "content-encoding": coding}
            if "etag" in headers:
                headers["etag"] = f'{headers["etag"][:-1]}-{coding}"'
            self._by_coding[coding] = replace(plain, body=compress_content(plain.body, coding), headers=headers)
        return self._by_coding[coding]


class KeptPages:
    """Keeps pages while everybody sees the same: no index is private, and no plugin decides who may read."""

    def __init__(self, context: HandlerContext) -> None:
        self._context = context
        self._pages: SerialCache[Key, KeptPage] = SerialCache(MAX_KEPT_PAGES)

    async def serial(self, caller: Caller) -> int | None:
        """Return the serial at which a page may be found or kept; None if the page may depend on its reader."""
        if caller.principal.name is not None or caller.problem is not None:
            return None
        return await self._context.read_stores(self._serial_if_public)

    def _serial_if_public(self) -> int | None:
        serial, rights = self._context.read_serial(), self._context.rights
        decided = all(rights.hides_nothing(each) and rights.has_no_policy(each) for each in LISTING_PERMISSIONS)
        return serial if decided and self._context.index_rights.all_public() else None

    def find(self, serial: int, key: Key, coding: str) -> RouteResponse | None:
        """Return a page in a coding; None if there is none of this serial."""
        page = self._pages.get(serial, key)
        return None if page is None else page.coded(coding)

    def keep(self, serial: int, key: Key, response: RouteResponse, coding: str) -> RouteResponse:
        """Keep a page, and return it in a coding; ``serial`` was read before the page was made."""
        if response.status != HTTPStatus.OK:
            return response
        page = KeptPage(response)
        self._pages.put(serial, key, page)
        return page.coded(coding)


def coding_of(req: falcon.asgi.Request) -> str:
    """Return the coding in which the client prefers a page; empty for none."""
    return best_coding(req.get_header("accept-encoding", default=""), CONTENT_CODINGS)


def is_unchanged(req: falcon.asgi.Request, response: RouteResponse) -> bool:
    """Return whether the browser has this page already (RFC 9110, section 13.1.2)."""
    etag = response.headers.get("etag")
    return etag is not None and etag in req.get_header("if-none-match", default="")
