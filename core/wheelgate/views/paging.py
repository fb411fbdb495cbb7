"""Parts of long sorted lists, of which a caller may see some entries only."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

from wheelgate.server_view import MAX_LISTING_ENTRIES, Listing

T = TypeVar("T")

CHECKED_AT_ONCE = 200
"""Entries whose visibility is checked at once: enough for a part of any list that hides little."""
LAST_CHARACTER = "\U0010ffff"
"""Follows every character in the order of code points."""


async def visible_part(
    names: Sequence[str], prefix: str, after: str, limit: int, visible: Callable[[Sequence[str]], Awaitable[list[str]]]
) -> Listing[str]:
    """Return the visible names that begin with ``prefix`` and come after ``after``, at most ``limit`` of them.

    Args:
        names: all names, sorted.
        prefix: what the names must begin with.
        after: the name before the first one; empty to begin with the first.
        limit: how many names to return.
        visible: keeps those of some names that the caller may see.
    """
    low, high = bounds(names, prefix)
    start = max(low, bisect_right(names, after, low, high)) if after else low
    found: list[str] = []
    for chunk in chunks(names, start, high):
        found += await visible(chunk)
        if len(found) > limit:
            break
    before: list[str] = []
    for chunk in chunks(names, start, low):
        before = await visible(chunk) + before
        if len(before) > limit:
            break
    # The last entry before the previous part is where that part begins; there is none before the first part.
    previous = None if not before else "" if len(before) <= limit else before[-limit - 1]
    following = found[limit - 1] if len(found) > limit else None
    return Listing(tuple(found[:limit]), None, previous, following)


def plain_part(names: Sequence[str], prefix: str, after: str, limit: int) -> Listing[str]:
    """Return the same as :func:`visible_part` if the caller may see every name, with the total."""
    low, high = bounds(names, prefix)
    start = max(low, bisect_right(names, after, low, high)) if after else low
    end = min(start + limit, high)
    previous = None if start == low else "" if start - limit <= low else names[start - limit - 1]
    following = names[end - 1] if end < high else None
    return Listing(tuple(names[start:end]), high - low, previous, following)


def bounds(names: Sequence[str], prefix: str) -> tuple[int, int]:
    """Return the begin and the end of the names that begin with a prefix."""
    return bisect_left(names, prefix), bisect_right(names, prefix + LAST_CHARACTER)


def chunks(names: Sequence[str], start: int, end: int) -> Iterator[Sequence[str]]:
    """Yield the names from ``start`` to ``end`` in parts; backwards, each part in its order, if the end comes first."""
    step = CHECKED_AT_ONCE if start <= end else -CHECKED_AT_ONCE
    for at in range(start, end, step):
        yield names[at : min(at + step, end)] if step > 0 else names[max(at + step, end) : at]


def check_limit(limit: int) -> None:
    """Raise ``ValueError`` if a list must not have so many entries."""
    if not 1 <= limit <= MAX_LISTING_ENTRIES:
        raise ValueError(f"a listing has 1 to {MAX_LISTING_ENTRIES} entries, not {limit}")
