"""What to believe of a clock that differs from that of another server, or that was set."""

from __future__ import annotations

import time

MAX_CLOCK_SKEW_SECONDS = 60
"""How far the clocks of two servers, or one clock before and after it was set, may differ without any effect."""


def utc_text(seconds: float) -> str:
    """Return a time in seconds since 1970 as answers show it, in UTC and as ISO 8601: ``2026-01-31T12:00:00Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def is_current(made: float, until: float | None) -> bool:
    """Return whether a value that is kept with times of the clock is still valid.

    A value from the future counts as old: it was made while the clock was ahead, and nobody knows how old it is.

    Args:
        made: when it was made, in seconds since 1970.
        until: when it expires; None for a value that no clock makes invalid.
    """
    now = time.time()
    return until is None or made - MAX_CLOCK_SKEW_SECONDS <= now < until
