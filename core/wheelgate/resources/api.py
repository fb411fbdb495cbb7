"""``/+api``, ``/{user}/+api`` and ``/{user}/{index}/+api``: the first requests of a client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import falcon.asgi

from wheelgate.http.answers import answer
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.path_segments import path_segment
from wheelgate.services.indices import Indices


class ApiResource:
    """The addresses that a client needs, and whether its login is valid."""

    def __init__(self, context: HandlerContext, indices: Indices, features: Sequence[str]) -> None:
        self._context = context
        self._indices = indices
        self._features = sorted(features)

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str = "", index: str = ""
    ) -> None:
        """Describe the server, or one of its indices."""
        caller = await self._context.identify(req)
        url = self._context.server_url(req)
        principal = caller.principal
        status = ["noauth", "", []] if principal.name is None else ["ok", principal.name, sorted(principal.groups)]
        result: dict[str, Any] = {"login": f"{url}/+login", "authstatus": status, "features": self._features}
        if index:
            resolution = await self._context.index_rights.find(
                caller, path_segment(user), path_segment(index), project=""
            )
            base = f"{url}/{user}/{index}"
            result |= {"index": base, "simpleindex": f"{base}/+simple/"}
            index_type = self._indices.type_of(resolution.index)
            if index_type is not None and index_type.takes_uploads:
                result["pypisubmit"] = f"{base}/"
        answer(resp, result, "apiconfig")

    on_post = on_get
