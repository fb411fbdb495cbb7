"""Gives request handlers the caller, the rights, the stores and the events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, ParamSpec, TypeVar

import falcon.asgi

from wheelgate.errors import Forbidden
from wheelgate.http.path_segments import path_segment
from wheelgate.http.proxy_headers import ProxyHeaders, origin_of, split_url
from wheelgate.http.request import IncomingRequest
from wheelgate.identity.identify import Caller, Identifier
from wheelgate.plugin_host.events import Events
from wheelgate.rights.confirmation import Claim, Confirm, Confirmation
from wheelgate.rights.decision import Rights
from wheelgate.rights.indices import IndexRights
from wheelgate.services.packages.inheritance import Resolution
from wheelgate.store.access import StoreAccess
from wheelgate.values import Resource

P = ParamSpec("P")
T = TypeVar("T")

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""


class HandlerContext:
    """Identifies the caller, checks permissions, reaches the stores and announces events for all handlers."""

    def __init__(
        self,
        proxy_headers: ProxyHeaders,
        identifier: Identifier,
        rights: Rights,
        index_rights: IndexRights,
        confirmation: Confirmation,
        access: StoreAccess,
        events: Events,
    ) -> None:
        self.rights = rights
        self.index_rights = index_rights
        self._proxy_headers = proxy_headers
        self._identifier = identifier
        self._confirmation = confirmation
        self._access = access
        self._events = events

    def identify(self, req: falcon.asgi.Request) -> Awaitable[Caller]:
        """Return the caller: the sender of the request.

        Raises:
            Forbidden: the request changes something, a page of another site caused it, and a browser may have added
                the credentials by itself.
        """
        identified = self._identifier.caller(self.incoming(req))
        return identified if req.method in SAFE_METHODS else self._unless_from_another_site(req, identified)

    async def _unless_from_another_site(self, req: falcon.asgi.Request, identified: Awaitable[Caller]) -> Caller:
        caller = await identified
        if caller.source.browser_only:
            self.require_same_origin(req)
        elif caller.source.ambient:
            self.refuse_another_site(req)
        return caller

    def refuse_another_site(self, req: falcon.asgi.Request) -> None:
        """Raise ``Forbidden`` if a page of another site caused the request."""
        if self._from_another_site(req):
            raise Forbidden("a page of another site may not change anything here in your name")

    def require_same_origin(self, req: falcon.asgi.Request) -> None:
        """Return if the browser proves that a page of this server caused the request.

        The proof is ``Sec-Fetch-Site``, which browsers send to https and loopback addresses only, else ``Origin``.

        Raises:
            Forbidden: the proof is missing, or names another site, port or scheme.
        """
        site = req.get_header("sec-fetch-site")
        if site is not None:
            proven = site in ("none", "same-origin")
        else:
            proven = origin_of(req.get_header("origin", default="")) == origin_of(self.server_url(req))
        if not proven:
            raise Forbidden(
                "the browser does not prove that a page of this server sent this; reload the page, try again"
            )

    def incoming(self, req: falcon.asgi.Request) -> IncomingRequest:
        """Wrap a request for the code that identifies its sender."""
        return IncomingRequest(req, self._proxy_headers)

    def server_url(self, req: falcon.asgi.Request) -> str:
        """Return the server's address as the client must write it. Raise ``BadInput`` as ``ProxyHeaders`` does."""
        return self._proxy_headers.server_url(req)

    def outside_path(self, req: falcon.asgi.Request) -> str:
        """Return the path of the server's address, which a proxy may leave in place; empty if it has none."""
        return self._proxy_headers.outside_path(req.remote_addr, req.get_header("x-outside-url", default=""))

    def _from_another_site(self, req: falcon.asgi.Request) -> bool:
        if req.get_header("sec-fetch-site", default="none") not in ("none", "same-origin"):
            return True
        origin = req.get_header("origin")
        return origin is not None and split_url(origin)[0] != split_url(self.server_url(req))[0]

    @property
    def serial(self) -> int:
        """The change counter as this worker last saw it."""
        return self._access.serial

    def read_serial(self) -> int:
        """Return the current change counter, for caches; any thread may call it."""
        return self._access.read_serial()

    async def readable_index(
        self, req: falcon.asgi.Request, owner: str, name: str, project: str | None = None
    ) -> Resolution:
        """Return an index that the caller may read, resolved to all indices that answer for it.

        Args:
            req: the request.
            owner: the segment of the path that names the index's owner.
            name: the segment that names the index.
            project: the project to be read; None for all of them, as in :class:`~wheelgate.values.Resource`.

        Raises:
            Refusal: as ``IndexRights.find`` does.
        """
        caller = await self.identify(req)
        return await self.index_rights.find(caller, path_segment(owner), path_segment(name), project=project)

    def require(self, caller: Caller, permission: str, resource: Resource) -> Awaitable[None]:
        """Return if the caller has a permission; else raise the refusal that says why not."""
        return self.rights.require(caller, permission, resource)

    def read_stores(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Call a function that reads from the stores: on the event loop if they are instant, else in a thread."""
        return self._access.read(function, *args, **kwargs)

    async def change_stores(
        self, claims: Sequence[Claim], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function that changes the stores, in a thread and inside one transaction.

        Args:
            claims: what the caller has to be allowed still when the transaction begins.
            function: the change.
            args: its arguments.
            kwargs: its arguments by name.

        Raises:
            Refusal: a claim does not hold any more, or the function raised it; nothing has changed.
        """
        confirm = await self.confirming(claims)
        return await self._access.change(confirmed, confirm, partial(function, *args, **kwargs))

    def confirming(self, claims: Sequence[Claim]) -> Awaitable[Confirm]:
        """Return a function for the transaction that records a change; see :meth:`Confirmation.prepare`."""
        return self._confirmation.prepare(claims)

    def change_stores_in_this_thread(self, confirm: Confirm, change: Callable[[], T]) -> T:
        """Do what :meth:`change_stores` does, for callers that are in a thread already."""
        return self._access.within_transaction(confirmed, confirm, change)

    def announce(self, name: str, caller: Caller, subject: str, **detail: Any) -> None:
        """Log an event, and queue it for the plugins that listen to it."""
        self._events.announce(name, caller.principal, caller.info, subject, detail)


def confirmed(confirm: Confirm, change: Callable[[], T]) -> T:
    """Make a change after its claims are confirmed; both run inside one transaction."""
    confirm()
    return change()
