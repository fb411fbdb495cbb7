"""Indices in lists: what the pages of users and the overview say about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wheelgate.errors import Refusal
from wheelgate.providers import RouteRequest
from wheelgate.server_view import IndexView

MAX_PROJECTS_OF_A_LIST = 300
"""Projects that one page looks at to find the times of the last uploads; the first look at each asks the database."""
MAX_PROJECTS_OF_AN_INDEX = 50


@dataclass(frozen=True, slots=True)
class IndexLine:
    """An index in a list."""

    path: str
    type: str
    title: str
    bases: tuple[str, ...]
    projects: int | None
    """None of a mirror, whose upstream would have to be asked."""
    last_upload: datetime | None
    """None if there is none, or if the index has too many projects to look at."""


def index_lines(request: RouteRequest, indices: Sequence[IndexView]) -> dict[str, IndexLine]:
    """Return the lines of some indices by path."""
    counts = request.view.project_counts([index.path for index in indices])
    left = MAX_PROJECTS_OF_A_LIST
    lines = {}
    for index in indices:
        count = counts.get(index.path)
        last_upload = None
        if count and count <= min(left, MAX_PROJECTS_OF_AN_INDEX):
            left -= count
            last_upload = last_upload_of(request, index.path)
        bases = tuple(index.config.get("bases", ()))
        title = str(index.config.get("title") or "")
        lines[index.path] = IndexLine(index.path, index.type, title, bases, count, last_upload)
    return lines


def last_upload_of(request: RouteRequest, path: str) -> datetime | None:
    """Return the time of the last upload to a small index."""
    try:
        projects = request.view.projects(path, limit=MAX_PROJECTS_OF_AN_INDEX).entries
    except Refusal:  # deleted in the meantime
        return None
    return max((each.last_upload for each in projects if each.last_upload is not None), default=None)
