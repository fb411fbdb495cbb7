"""Which part of a file a request asks for, and whether it has the file already (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

Header = Callable[[str], str | None]

LONGEST = 100
"""Characters of a Range header that are looked at; a single range needs no more."""


class Unsatisfiable(Exception):  # noqa: N818 - RFC 9110 calls it so
    """Raised when a range lies behind the end of the file."""


@lru_cache(1000)
def http_date(seconds: float) -> str:
    """Write a time, given in seconds since 1970, as HTTP does."""
    return format_datetime(datetime.fromtimestamp(int(seconds), UTC), usegmt=True)


def has_it(header: Header, etag: str, modified: float | None = None) -> bool:
    """Say whether the client has the file already: If-None-Match, and only without it If-Modified-Since."""
    given = header("if-none-match")
    if given is not None:
        return (
            given == etag
            or given.strip() == "*"
            or etag in [tag.strip().removeprefix("W/") for tag in given.split(",")]
        )
    since = _seconds(header("if-modified-since"))
    return since is not None and modified is not None and int(modified) <= since


def wanted(header: Header, etag: str, size: int, modified: float) -> tuple[int, int] | None:
    """Return the part that is asked for, as its start and what comes after its end; None for the whole.

    Several ranges at once, other units and what cannot be read are answered with the whole (RFC 9110, section 14.2),
    and so is a range of a file that If-Range does not mean.

    Raises:
        Unsatisfiable: the range begins behind the end.
    """
    given = header("range")
    if given is None or not _same(header("if-range"), etag, modified):
        return None
    found = re.fullmatch(r"bytes=\s*(\d*)-(\d*)\s*", given[:LONGEST], re.IGNORECASE | re.ASCII)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, stop = max(0, size - int(found[2])), size
    else:
        start, stop = int(found[1]), min(size, int(found[2] or size) + 1)
        if found[2] and int(found[2]) < start:
            return None
    if start >= size or start >= stop:
        raise Unsatisfiable
    return start, stop


def _same(given: str | None, etag: str, modified: float) -> bool:
    """Say whether If-Range means this file; a weak tag never does (RFC 9110, section 13.1.5)."""
    return given is None or given.strip() == etag or _seconds(given) == int(modified)


def _seconds(date: str | None) -> int | None:
    """Read a date of HTTP; None if it is none."""
    try:
        return None if date is None else int(parsedate_to_datetime(date).timestamp())
    except (ValueError, OverflowError):
        return None
