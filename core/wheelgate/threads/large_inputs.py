"""Work whose size a client or an upstream chooses: the event loop does a little by itself, and a thread does much."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def call_aside(large: bool, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function, in a thread if its input is large: it would keep the event loop from all other requests."""
    return await asyncio.to_thread(function, *args, **kwargs) if large else function(*args, **kwargs)
