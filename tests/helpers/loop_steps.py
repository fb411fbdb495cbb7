"""Counts the lines of code that the event loop runs for a request; threads do not count."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from wheelgate.testing.site import Response

MAX_STEPS_ON_LOOP = 40_000
"""Lines of code that the event loop may run for one request; those of each input below are some hundred thousand."""


def steps_on_loop(action: Callable[[], Response]) -> tuple[int, Response]:
    """Return the lines that this thread, which runs the event loop, takes for a request; and the answer."""
    steps, others = 0, sys.gettrace()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal steps
        steps += 1
        return trace

    sys.settrace(trace)
    try:
        answer = action()
    finally:
        sys.settrace(others)
    return steps, answer
