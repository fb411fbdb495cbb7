"""``/+api``, ``/{user}/+api`` and ``/{user}/{index}/+api``: where a client begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import falcon.asgi

from wheelgate.http.answers import answer
from wheelgate.http.front import Front, segment
from wheelgate.services.indices import Indices


class ApiResource:
    """The addresses that a client needs, and whether its login is good."""

    def __init__(self, front: Front, indices: Indices, features: Sequence[str]) -> None:
        self._front = front
        self._indices = indices
        self._features = sorted(features)

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str = "", index: str = ""
    ) -> None:
        """Describe the server, or one index of it."""
        caller = await self._front.caller(req)
        url = self._front.outside.url(req)
        principal = caller.principal
        status = ["noauth", "", []] if principal.name is None else ["ok", principal.name, sorted(principal.groups)]
        result: dict[str, Any] = {"login": f"{url}/+login", "authstatus": status, "features": self._features}
        if index:
            found = (await self._front.indices.find(caller, segment(user), segment(index), project="")).index
            base = f"{url}/{user}/{index}"
            result |= {"index": base, "simpleindex": f"{base}/+simple/"}
            kind = self._indices.type_of(found)
            if kind is not None and kind.takes_uploads:
                result["pypisubmit"] = f"{base}/"
        answer(resp, result, "apiconfig")

    on_post = on_get
