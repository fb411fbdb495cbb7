"""``--require-login``: a server that answers only to users who are logged in."""

from __future__ import annotations

import falcon.asgi

from wheelgate.errors import NotAuthenticated
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.scope import PRIVATE_RESPONSE
from wheelgate.identity.identify import Caller

PATHS_WITHOUT_LOGIN = frozenset({"/+api", "/+login", "/+healthz", "/+readyz", "/+metrics"})
"""The addresses that a client needs to log in, and those of monitoring; the metrics have a permission of their own."""
AUTHCHECK_PATH = "/+authcheck"
"""The address at which a proxy asks about requests of its clients; its resource checks the login of those requests."""


class RequireLogin:
    """Falcon middleware that runs before all routes, and for addresses that do not exist."""

    def __init__(self, context: HandlerContext, open_paths: frozenset[str]) -> None:
        """Take the addresses of plugins that stay open, such as that of a login form."""
        self._context = context
        self._open_paths = PATHS_WITHOUT_LOGIN | {AUTHCHECK_PATH} | open_paths

    async def process_request(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Refuse a request without a login.

        Raises:
            NotAuthenticated: it has none.
            Refusal: its credentials are wrong, or cannot be verified.
        """
        if req.path not in self._open_paths:
            refuse_anonymous(await self._context.identify(req))
            req.scope[PRIVATE_RESPONSE] = True


def refuse_anonymous(caller: Caller) -> None:
    """Return if the caller is logged in; else raise the problem of the credentials, or ``NotAuthenticated``."""
    if caller.principal.name is None:
        raise caller.problem or NotAuthenticated("not logged in: this server answers only logged-in users")
