"""What every responder needs: the caller, the rights, the stores, the events."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import falcon.asgi

from wheelgate.errors import Forbidden
from wheelgate.http.request import IncomingRequest, Outside
from wheelgate.identity.identify import Caller, Identifier
from wheelgate.plugin_host.events import Events, event
from wheelgate.rights.decision import Rights
from wheelgate.rights.indices import IndexRights
from wheelgate.services.inheritance import Resolution
from wheelgate.store.access import StoreAccess
from wheelgate.values import Resource

P = ParamSpec("P")
T = TypeVar("T")

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FOREIGN = re.compile(r"[+/\x00-\x1f\x7f]")
"""What no name in a path has."""


class Front:
    """The way of a request, as far as all requests share it."""

    def __init__(
        self,
        outside: Outside,
        identifier: Identifier,
        rights: Rights,
        indices: IndexRights,
        access: StoreAccess,
        events: Events,
    ) -> None:
        self.outside = outside
        self.rights = rights
        self.indices = indices
        self._identifier = identifier
        self._access = access
        self._events = events

    def caller(self, req: falcon.asgi.Request) -> Awaitable[Caller]:
        """Find out who asks (steps 1 to 4).

        Raises:
            Forbidden: the request changes something, comes from another site, and a browser may have added the
                credentials by itself.
        """
        identified = self._identifier.caller(self.incoming(req))
        return identified if req.method in SAFE else self._unless_from_another_site(req, identified)

    async def _unless_from_another_site(self, req: falcon.asgi.Request, identified: Awaitable[Caller]) -> Caller:
        caller = await identified
        if caller.ambient:
            self.refuse_another_site(req)
        return caller

    def refuse_another_site(self, req: falcon.asgi.Request) -> None:
        """Raise ``Forbidden`` if the page of another site has caused the request."""
        if self._from_another_site(req):
            raise Forbidden("a page of another site may not change anything here in your name")

    def incoming(self, req: falcon.asgi.Request) -> IncomingRequest:
        """Wrap a request."""
        return IncomingRequest(req, self.outside)

    def _from_another_site(self, req: falcon.asgi.Request) -> bool:
        if req.get_header("sec-fetch-site", default="none") not in ("none", "same-origin"):
            return True
        origin = req.get_header("origin")
        return origin is not None and urlsplit(origin).netloc != urlsplit(self.outside.url(req)).netloc

    @property
    def serial(self) -> int:
        """The change counter as this worker saw it last."""
        return self._access.serial

    async def index(self, req: falcon.asgi.Request, owner: str, name: str, project: str | None = None) -> Resolution:
        """Return an index whose ``project``, or all of it, the caller may read, with all that answer for it.

        Raises:
            Refusal: as ``indices.find`` does.
        """
        caller = await self.caller(req)
        return await self.indices.find(caller, segment(owner), segment(name), project=project)

    def require(self, caller: Caller, permission: str, resource: Resource) -> Awaitable[None]:
        """Let the caller pass, or refuse (step 5)."""
        return self.rights.require(caller, permission, resource)

    def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Read from the stores (step 6)."""
        return self._access.read(function, *args, **kwargs)

    async def change(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Change the stores inside one transaction (step 6)."""
        return await self._access.change(function, *args, **kwargs)

    def change_here(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Change the stores as :meth:`change` does, from a thread that has hopped already."""
        return self._access.within_transaction(function, *args, **kwargs)

    def tell(self, name: str, caller: Caller, subject: str, **detail: Any) -> None:
        """Tell the plugins what happened (step 7)."""
        if self._events.heard(name):
            self._events.tell(event(name, caller.principal, caller.info, subject, detail))


def segment(value: str) -> str:
    """Check one part of a path that names a user or an index.

    Raises:
        falcon.HTTPNotFound: it has a ``+`` or a slash, which belong to other addresses, or control characters.
    """
    if FOREIGN.search(value):
        raise falcon.HTTPNotFound
    return value


def version_segment(value: str) -> str:
    """Check one part of a path that names a version, which may hold a ``+`` after its first character (PEP 440).

    Raises:
        falcon.HTTPNotFound: it belongs to another address, or has control characters.
    """
    segment(value[:1])
    segment(value.replace("+", ""))
    return value
