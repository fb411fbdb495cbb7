"""Times in messages and headers."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def utc_text(seconds: float) -> str:
    """Return a time for a message, rounded up to a second: ``2026-01-31T12:00:00Z``.

    Args:
        seconds: since 1970.
    """
    return datetime.fromtimestamp(math.ceil(seconds), UTC).isoformat().replace("+00:00", "Z")


def parse_http_date(text: str) -> float | None:
    """Return the time in a header (RFC 9110, section 5.6.7), in seconds since 1970; None if it is not a date."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
