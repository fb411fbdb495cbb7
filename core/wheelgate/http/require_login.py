"""A server that is closed to everybody who has not logged in: ``--require-login``."""

from __future__ import annotations

import falcon.asgi

from wheelgate.errors import NotAuthenticated
from wheelgate.http.front import Front
from wheelgate.http.request import PRIVATE
from wheelgate.identity.identify import Caller

OPEN = frozenset({"/+api", "/+login"})
"""What a client needs to log in."""
CHECK = "/+authcheck"
"""Where a proxy asks for others; it closes by itself what they ask for."""


class RequireLogin:
    """Falcon's middleware that stands before all addresses, those that do not exist included."""

    def __init__(self, front: Front) -> None:
        self._front = front

    async def process_request(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Let nobody pass without a login.

        Raises:
            NotAuthenticated: there is none.
            Refusal: the credentials given are not good, or cannot be judged.
        """
        if req.path not in OPEN and req.path != CHECK:
            refuse_anonymous(await self._front.caller(req))
            req.scope[PRIVATE] = True


def refuse_anonymous(caller: Caller) -> None:
    """Raise what keeps the caller from being known; nothing if it is."""
    if caller.principal.name is None:
        raise caller.problem or NotAuthenticated("not logged in: this server answers only to its users")
