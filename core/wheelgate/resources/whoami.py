"""``/+whoami``: the user, the groups and the credential that the server recognises in a request."""

from __future__ import annotations

from typing import Any

import falcon.asgi

from wheelgate.http.answers import answer
from wheelgate.http.handler_context import HandlerContext
from wheelgate.identity.identify import Caller
from wheelgate.values import Restriction


class WhoamiResource:
    """Tells callers who they are."""

    def __init__(self, context: HandlerContext) -> None:
        self._context = context

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Describe the caller; the result is null without credentials.

        Raises:
            Refusal: the credentials are wrong, have ended, or cannot be verified.
        """
        caller = await self._context.identify(req)
        if caller.problem is not None:
            raise caller.problem
        resp.set_header("cache-control", "no-store")
        answer(resp, caller_json(caller), "whoami")


def caller_json(caller: Caller) -> dict[str, Any] | None:
    """Return a caller as JSON; None for anonymous."""
    principal, login = caller.principal, caller.login
    if principal.name is None or login is None:
        return None
    limits = principal.restriction
    return {
        "user": principal.name,
        "groups": sorted(principal.groups),
        "credential": {**login.credential, "restriction": None if limits is None else restriction_json(limits)},
        "provider": principal.credential,
    }


def restriction_json(limits: Restriction) -> dict[str, Any]:
    """Return the limits of a credential as JSON; null stands for all indices or projects."""
    return {
        "permissions": sorted(limits.permissions),
        "indices": sorted_or_none(limits.indices),
        "projects": sorted_or_none(limits.projects),
        "read_projects": sorted_or_none(limits.projects_for("index_read")),
        "change_projects": sorted_or_none(limits.projects_for("upload")),
    }


def sorted_or_none(names: frozenset[str] | None) -> list[str] | None:
    """Return names in their order; None stays None."""
    return None if names is None else sorted(names)
