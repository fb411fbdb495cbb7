"""Requests that reach one server without a socket at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import falcon.testing

from wheelgate.testing.site import Site

T = TypeVar("T")


def conduct(site: Site, act: Callable[[falcon.testing.ASGIConductor], Awaitable[T]]) -> T:
    """Call ``act`` with a client that sends many requests at once, and return what it returns."""

    async def run() -> list[T]:
        results = []
        async with falcon.testing.ASGIConductor(sent_to_localhost(site)) as client:
            results.append(await act(client))
        return results

    return asyncio.run(run())[0]


def sent_to_localhost(site: Site) -> Callable[..., Awaitable[None]]:
    """Return the application of a site with the ``Host`` of requests from this machine; Falcon's names another one."""

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        others = [(name, value) for name, value in scope.get("headers", ()) if name != b"host"]
        await site.application.asgi({**scope, "headers": [*others, (b"host", b"localhost")]}, receive, send)

    return application
