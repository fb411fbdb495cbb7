"""Pages of anonymous readers, kept until something changes."""

from __future__ import annotations

from http import HTTPStatus

import falcon.asgi

from wheelgate.http.handler_context import HandlerContext
from wheelgate.identity.identify import Caller
from wheelgate.providers import RouteResponse
from wheelgate.store.serial_cache import SerialCache

MAX_KEPT_PAGES = 100
"""Pages that a worker keeps for each address template; one has at most 50 kB."""
LISTING_PERMISSIONS = ("user_list", "user_read", "index_read")
"""The permissions that decide what a page shows."""

Key = tuple[str, str, str]
"""The path, the query, and the server's address as the client must write it."""


class KeptPages:
    """Keeps pages while everybody sees the same: no index is private, and no plugin decides who may read."""

    def __init__(self, context: HandlerContext) -> None:
        self._context = context
        self._pages: SerialCache[Key, RouteResponse] = SerialCache(MAX_KEPT_PAGES)

    async def serial(self, caller: Caller) -> int | None:
        """Return the serial at which a page may be found or kept; None if the page may depend on its reader."""
        if caller.principal.name is not None or caller.problem is not None:
            return None
        return await self._context.read_stores(self._serial_if_public)

    def _serial_if_public(self) -> int | None:
        serial, rights = self._context.read_serial(), self._context.rights
        decided = all(rights.hides_nothing(each) and rights.has_no_policy(each) for each in LISTING_PERMISSIONS)
        return serial if decided and self._context.index_rights.all_public() else None

    def find(self, serial: int, key: Key) -> RouteResponse | None:
        """Return a page; None if there is none of this serial."""
        return self._pages.get(serial, key)

    def keep(self, serial: int, key: Key, response: RouteResponse) -> None:
        """Keep a page; ``serial`` was read before the page was made."""
        if response.status == HTTPStatus.OK:
            self._pages.put(serial, key, response)


def is_unchanged(req: falcon.asgi.Request, response: RouteResponse) -> bool:
    """Return whether the browser has this page already (RFC 9110, section 13.1.2)."""
    etag = response.headers.get("etag")
    return etag is not None and etag in req.get_header("if-none-match", default="")
