"""``/+status`` and ``/+authcheck``: for administrators and for proxies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import falcon.asgi

from wheelgate.errors import Forbidden, NotFound
from wheelgate.http.answers import answer
from wheelgate.http.front import Front
from wheelgate.http.require_login import OPEN, refuse_anonymous
from wheelgate.identity.identify import Caller
from wheelgate.plugin_host.discovery import Found
from wheelgate.threads.pool import Provider
from wheelgate.values import Resource


class StatusResource:
    """``GET /+status``: versions for everybody, the rest for root."""

    def __init__(
        self,
        front: Front,
        versions: Mapping[str, str],
        found: Sequence[Found],
        providers: Sequence[Provider],
        details: Mapping[str, Any],
    ) -> None:
        self._front = front
        self._versions = versions
        self._found = found
        self._providers = providers
        self._details = details

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Say how the server is."""
        caller = await self._front.caller(req)
        result: dict[str, Any] = {"versioninfo": dict(self._versions), "role": "MASTER"}
        verdict = await self._front.rights.decide(caller.principal, "status_read", Resource("server"))
        if verdict.allowed:
            result |= self._details
            result["serial"] = self._front.serial
            result["plugins"] = {
                entry.name: {
                    "distribution": entry.distribution,
                    "version": entry.version,
                    "state": "blocked" if entry.blocked else "active",
                }
                for entry in self._found
            }
            # One plugin may bring several of one name: what is left out of them must be seen.
            ordered = sorted(self._providers, key=lambda provider: provider.state == "open")
            result["providers"] = {provider.name: provider.state for provider in ordered}
        answer(resp, result, "status")


class AuthCheckResource:
    """``GET /+authcheck``: whether a proxy should let a request through, for nginx's ``auth_request``."""

    def __init__(self, front: Front, *, require_login: bool) -> None:
        self._front = front
        self._require_login = require_login

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Check the address in ``X-Original-URI`` with the credentials of this request."""
        caller = await self._front.caller(req)
        original = req.get_header("x-original-uri")
        parts = path_parts(original) if original is not None else []
        if self._require_login and f"/{'/'.join(parts)}" not in OPEN:
            refuse_anonymous(caller)
        await self._check(caller, parts)
        answer(resp, message="ok")

    async def _check(self, caller: Caller, parts: list[str]) -> None:
        if len(parts) < 2 or "+" in parts[0] + parts[1]:
            return
        try:
            await self._front.indices.find(caller, parts[0], parts[1])
        except NotFound as error:
            # A proxy may serve files by itself; of everything else this server says that it is not there.
            if parts[2:3] in (["+f"], ["+e"]):
                raise Forbidden(error.message) from None


def path_parts(original: str) -> list[str]:
    """Take the path of an address apart.

    Raises:
        Forbidden: a proxy could understand it differently: ``/public/../secret`` is two different indices.
    """
    path = re.split(r"[?#]", re.sub(r"^https?://[^/?#]*", "", original, flags=re.IGNORECASE))[0]
    parts = unquote(path).removeprefix("/").removesuffix("/").split("/")
    if parts != [""] and any(part in ("", ".", "..") or not part.isprintable() for part in parts):
        raise Forbidden("the address in 'X-Original-URI' is not in its normal form")
    return parts
