"""Links to the previous and the next part of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from wheelgate.providers import RouteRequest
from wheelgate.server_view import Listing

MAX_FILTER_CHARS = 100
"""Characters of a filter; no name is longer."""


@dataclass(frozen=True, slots=True)
class Paging:
    """The query of the previous and of the next part, each with its question mark; empty if there is none."""

    previous: str
    next: str
    filter: str
    total: int | None


def filter_of(request: RouteRequest) -> str:
    """Return the beginning of the names that the reader wants to see."""
    return request.query.get("filter", "").strip()[:MAX_FILTER_CHARS]


def after_of(request: RouteRequest) -> str:
    """Return the name after which the list begins."""
    return request.query.get("after", "")[:MAX_FILTER_CHARS]


def paging_of(request: RouteRequest, listing: Listing[Any], **kept: str) -> Paging:
    """Return the links around a part of a list.

    Args:
        request: the request.
        listing: the part.
        kept: further parameters of the links.
    """
    base = {name: value for name, value in {"filter": filter_of(request), **kept}.items() if value}
    return Paging(_query(base, listing.previous), _query(base, listing.next), filter_of(request), listing.total)


def _query(base: dict[str, str], after: str | None) -> str:
    if after is None:
        return ""
    return "?" + urlencode({**base, "after": after} if after else base)
