"""Conditional and range requests for files (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

GetHeader = Callable[[str], str | None]
"""Returns a header of the request by its lower-case name."""

MAX_RANGE_HEADER_CHARS = 100
"""Longer Range headers are cut; a single range needs no more."""
HTTP_DATE_CACHE_ENTRIES = 1000
"""Times whose formatted date is cached."""


class RangeNotSatisfiable(Exception):  # noqa: N818 - the phrase of status 416 in RFC 9110
    """Raised when a range begins after the end of the file."""


@lru_cache(HTTP_DATE_CACHE_ENTRIES)
def http_date(seconds: float) -> str:
    """Format a time in seconds since 1970 as an HTTP date (RFC 9110, section 5.6.7)."""
    return format_datetime(datetime.fromtimestamp(int(seconds), UTC), usegmt=True)


def is_not_modified(get_header: GetHeader, etag: str, modified: float | None = None) -> bool:
    """Return whether the client has this version already: by If-None-Match, or without that by If-Modified-Since."""
    given = get_header("if-none-match")
    if given is not None:
        return (
            given == etag
            or given.strip() == "*"
            or etag in [tag.strip().removeprefix("W/") for tag in given.split(",")]
        )
    since = _seconds(get_header("if-modified-since"))
    return since is not None and modified is not None and int(modified) <= since


def requested_range(get_header: GetHeader, etag: str, size: int, modified: float) -> tuple[int, int] | None:
    """Return the requested byte range as start and stop (exclusive); None for the whole file.

    Several ranges, other units and malformed headers get the whole file (RFC 9110, section 14.2), as does a range of
    another version of the file than If-Range names.

    Raises:
        RangeNotSatisfiable: the range begins after the end.
    """
    given = get_header("range")
    if given is None or not _is_same_version(get_header("if-range"), etag, modified):
        return None
    found = re.fullmatch(r"bytes=\s*(\d*)-(\d*)\s*", given[:MAX_RANGE_HEADER_CHARS], re.IGNORECASE | re.ASCII)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, stop = max(0, size - int(found[2])), size
    else:
        start, stop = int(found[1]), min(size, int(found[2] or size) + 1)
        if found[2] and int(found[2]) < start:
            return None
    if start >= size or start >= stop:
        raise RangeNotSatisfiable
    return start, stop


def _is_same_version(given: str | None, etag: str, modified: float) -> bool:
    """Say whether If-Range names this version of the file; a weak tag never does (RFC 9110, section 13.1.5)."""
    return given is None or given.strip() == etag or _seconds(given) == int(modified)


def _seconds(date: str | None) -> int | None:
    """Parse an HTTP date into seconds since 1970; None if it is not one."""
    try:
        return None if date is None else int(parsedate_to_datetime(date).timestamp())
    except (ValueError, OverflowError):
        return None
