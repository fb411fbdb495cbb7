"""Shows on each page of an index which projects are new there, and where to ask about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from wheelgate import Server, hookimpl
from wheelgate.page_blocks import Block, Row
from wheelgate.providers import RouteRequest

NEW = timedelta(days=7)


@hookimpl
def wheelgate_page_blocks(server: Server, place: str, subject: str, request: RouteRequest) -> list[Block]:
    """Return the block; its texts need no escaping."""
    if place != "index":
        return []
    oldest = datetime.now(UTC) - NEW
    projects = request.view.projects(subject, limit=100).entries
    new = [each for each in projects if each.last_upload is not None and each.last_upload > oldest]
    rows = [Row(each.latest, each.name, f"/{subject}/{each.name}") for each in new]
    return [Block("New this week", [*rows, Row("questions?", "the team", "mailto:packages@company.example")], rank=10)]
