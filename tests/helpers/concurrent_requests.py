"""Requests that reach one server without a socket at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import falcon.testing

from wheelgate.testing.site import Site

T = TypeVar("T")


def conduct(site: Site, act: Callable[[falcon.testing.ASGIConductor], Awaitable[T]]) -> T:
    """Call ``act`` with a client that sends many requests at once, and return what it returns."""

    async def run() -> list[T]:
        results = []
        async with falcon.testing.ASGIConductor(site.application.asgi) as client:
            results.append(await act(client))
        return results

    return asyncio.run(run())[0]
