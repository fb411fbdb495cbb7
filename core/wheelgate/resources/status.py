"""``/+status`` and ``/+authcheck``: for administrators and for proxies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import falcon.asgi

from wheelgate.errors import Forbidden, NotFound
from wheelgate.http.answers import answer
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.outside_path import without_prefix
from wheelgate.http.require_login import PATHS_WITHOUT_LOGIN, refuse_anonymous
from wheelgate.identity.identify import Caller
from wheelgate.plugin_host.circuit import CircuitBreaker
from wheelgate.plugin_host.discovery import InstalledPlugin
from wheelgate.values import Resource


class StatusResource:
    """``GET /+status``: versions for everyone, the rest for callers with the permission ``status_read``."""

    def __init__(
        self,
        context: HandlerContext,
        versions: Mapping[str, str],
        plugins: Sequence[InstalledPlugin],
        breakers: Sequence[CircuitBreaker],
        details: Mapping[str, Any],
    ) -> None:
        self._context = context
        self._versions = versions
        self._plugins = plugins
        self._breakers = breakers
        self._details = details

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Show the state of the server."""
        caller = await self._context.identify(req)
        result: dict[str, Any] = {"versioninfo": dict(self._versions), "role": "MASTER"}
        verdict = await self._context.rights.decide(caller.principal, "status_read", Resource("server"))
        if verdict.allowed:
            result |= self._details
            result["serial"] = self._context.serial
            result["plugins"] = {
                entry.name: {
                    "distribution": entry.distribution,
                    "version": entry.version,
                    "state": "blocked" if entry.blocked else "active",
                }
                for entry in self._plugins
            }
            # A plugin may provide several of one name: if one of them is left out, that must show.
            ordered = sorted(self._breakers, key=lambda breaker: breaker.state == "open")
            result["providers"] = {breaker.name: breaker.state for breaker in ordered}
        answer(resp, result, "status")


class AuthCheckResource:
    """``GET /+authcheck``: tells a proxy whether to let a request through, for nginx's ``auth_request``."""

    def __init__(self, context: HandlerContext, *, require_login: bool) -> None:
        self._context = context
        self._require_login = require_login

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Check whether the credentials of this request give access to the address in ``X-Original-URI``."""
        caller = await self._context.identify(req)
        original = req.get_header("x-original-uri")
        outside_path = self._context.outside_path(req)
        parts = path_parts(original, outside_path) if original is not None else []
        if self._require_login and f"/{'/'.join(parts)}" not in PATHS_WITHOUT_LOGIN:
            refuse_anonymous(caller)
        await self._check(caller, parts)
        answer(resp, message="ok")

    async def _check(self, caller: Caller, parts: list[str]) -> None:
        if len(parts) < 2 or "+" in parts[0] + parts[1]:
            return
        try:
            await self._context.index_rights.find(caller, parts[0], parts[1])
        except NotFound as error:
            # A proxy may serve files by itself; for all other addresses this server answers 404.
            if parts[2:3] in (["+f"], ["+e"]):
                raise Forbidden(error.message) from None


def path_parts(original: str, outside_path: str) -> list[str]:
    """Split the path of an address into its segments, without the path of the outside URL.

    Raises:
        Forbidden: a proxy could understand the path differently: ``/public/../secret`` names two different indices.
    """
    path = re.split(r"[?#]", re.sub(r"^https?://[^/?#]*", "", original, flags=re.IGNORECASE))[0]
    parts = without_prefix(unquote(path), outside_path).removeprefix("/").removesuffix("/").split("/")
    if parts != [""] and any(part in ("", ".", "..") or not part.isprintable() for part in parts):
        raise Forbidden("the address in 'X-Original-URI' is not in its normal form")
    return parts
