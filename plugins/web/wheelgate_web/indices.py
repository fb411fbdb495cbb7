"""``/{user}/{index}``: an index, its projects, and how tools use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from wheelgate.providers import RouteRequest, RouteResponse
from wheelgate.server_view import IndexView, Listing, ProjectView
from wheelgate_web.paging import after_of, filter_of, paging_of
from wheelgate_web.permissions import may_change_index
from wheelgate_web.rendering import Renderer
from wheelgate_web.text_filters import address, segment
from wheelgate_web.tool_lines import tool_lines

PROJECTS_OF_A_PAGE = 75
"""The page then has less than 50 kB."""
MAX_SUMMARY_CHARS = 120
"""Characters of a summary in the list; the page of the project has all of it."""
MAX_SORTED_PROJECTS = 200
"""Projects of an index that a page can sort by their last upload: it has to look at all of them."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class IndexPage:
    """The page."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show an index; no upstream is asked."""
        owner, name = request.params["user"], request.params["index"]
        index = request.view.index(f"{owner}/{name}")
        newest_first = request.query.get("sort") == "upload"
        found = projects_of(request, index.path, newest_first=newest_first)
        where = f"/{address(index.path)}"
        return self._renderer.page(
            request,
            "index.html",
            index.path,
            crumbs=[(owner, f"/{segment(owner)}"), (name, where)],
            alternate=f"{where}?no_projects=",
            blocks=request.blocks("index", index.path),
            index=index,
            bases=index.config.get("bases", ()),
            index_title=index.config.get("title") or "",
            description=index.config.get("description") or "",
            is_private=index.config.get("acl_read") is not None,
            projects=[replace(each, summary=shortened(each.summary)) for each in found.entries],
            paging=paging_of(request, found),
            newest_first=newest_first,
            can_sort=found.total is not None and 1 < found.total <= MAX_SORTED_PROJECTS,
            mirror_of=mirror_address(index.config),
            groups=tool_lines(index, request.base_url, request.principal.name or "YOUR-NAME"),
            facts=facts(index),
            actions=actions(request, index),
        )


def projects_of(request: RouteRequest, path: str, *, newest_first: bool) -> Listing[ProjectView]:
    """Return the part of the list that the page shows."""
    if newest_first:
        found = request.view.projects(path, filter_of(request), limit=MAX_SORTED_PROJECTS)
        if found.next is None:
            entries = sorted(found.entries, key=uploaded, reverse=True)
            return Listing(tuple(entries), found.total)
    return request.view.projects(path, filter_of(request), after_of(request), PROJECTS_OF_A_PAGE)


def shortened(summary: str) -> str:
    """Return a summary for the list."""
    return summary if len(summary) <= MAX_SUMMARY_CHARS else f"{summary[: MAX_SUMMARY_CHARS - 1]}…"


def uploaded(project: ProjectView) -> datetime:
    """Return when a project got its last file, to sort by."""
    moment = project.last_upload
    return LONG_AGO if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC)


def mirror_address(config: Mapping[str, Any]) -> str:
    """Return the address of the upstream of a mirror, without login and query."""
    parts = urlsplit(str(config.get("mirror_url") or ""))
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if host else ""


def facts(index: IndexView) -> list[tuple[str, Any]]:
    """Return what the configuration says, for people."""
    config = index.config
    found: list[tuple[str, Any]] = [("Kind", index.type)]
    if not index.mirror:
        found.append(("May upload", names(config.get("acl_upload", ()))))
    found.append(("May read", names(config["acl_read"]) if config.get("acl_read") is not None else "everyone"))
    if "volatile" in config:
        found.append(("Volatile", "yes: releases can be replaced and deleted" if config["volatile"] else "no"))
    if config.get("mirror_whitelist"):
        found.append(("Whitelist", ", ".join(config["mirror_whitelist"])))
    if config.get("min_age"):
        found.append(("Held back for", str(config["min_age"])))
    return found


def names(principals: Any) -> str:
    """Return the entries of an access list for people."""
    special = {":ANONYMOUS:": "everyone", ":AUTHENTICATED:": "everyone who is signed in"}
    shown = [special.get(each) or (f"group {each[1:]}" if each.startswith(":") else each) for each in principals]
    return ", ".join(shown) or "nobody"


def actions(request: RouteRequest, index: IndexView) -> list[tuple[str, str]]:
    """Return the text and the address of each form that the caller may use on an index."""
    below = f"/+x/web/indices/{segment(index.owner)}/{segment(index.name)}"
    offered = [
        ("Edit index", f"{below}/edit", may_change_index(request, "index_modify", index.owner, index.name)),
        ("Delete index", f"{below}/delete", may_change_index(request, "index_delete", index.owner, index.name)),
    ]
    return [(text, where) for text, where, is_allowed in offered if is_allowed]
