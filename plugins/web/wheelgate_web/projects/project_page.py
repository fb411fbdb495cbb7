"""``/{user}/{index}/{project}`` and ``/{user}/{index}/{project}/{version}``."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from wheelgate import Server
from wheelgate.caches import LruCache
from wheelgate.page_blocks import Block
from wheelgate.providers import RouteRequest, RouteResponse
from wheelgate_web.projects.project_data import (
    ProjectData,
    ProjectReader,
    ReleaseData,
    index_path,
    redirect_target,
)
from wheelgate_web.projects.versions import Versions
from wheelgate_web.release_forms import release_actions
from wheelgate_web.rendering import Renderer, root_of
from wheelgate_web.search.matching import Matches
from wheelgate_web.search.pages import SearchPages
from wheelgate_web.text_filters import segment

MAX_SHOWN_VERSIONS = 50
"""Versions in the list of a page that shows something else as well."""
MAX_ALL_VERSIONS = 1000
"""Versions in the list of all."""
PAGE_CACHE_ENTRIES = 60
"""Pages of anonymous readers that a worker keeps."""
MAX_CACHED_BYTES = 100_000

Kept = tuple[ProjectData, object, RouteResponse]
"""What a page was made of, which is its data and what it says about other projects, and the page."""


@dataclass(frozen=True, slots=True)
class Additions:
    """What a page says beside the project itself."""

    users: Matches
    """The projects that require it."""
    blocks: tuple[Block, ...]
    """What plugins add to it."""


class ProjectPages:
    """Shows a project, or one version of it."""

    def __init__(self, server: Server, renderer: Renderer, search: SearchPages) -> None:
        self._renderer = renderer
        self._search = search
        self._reader = ProjectReader(server)
        self._pages: LruCache[tuple[str, str], Kept] = LruCache(PAGE_CACHE_ENTRIES)

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show the project's latest version, or the version in the address.

        Raises:
            Refusal: as ``request.view`` does.
        """
        data = self._reader.read(request)
        additions = self._additions(request)
        if request.principal.name is not None or request.query:
            return self._page(request, data, additions)
        # What other projects this index serves decides which dependencies are links.
        others = request.view.stamp(index_path(request)), additions
        key = request.base_url, request.request.path
        kept = self._pages.get(key)
        if kept is not None and kept[0] is data and kept[1] == others:
            return unless_known(request, kept[2])
        page = self._page(request, data, additions)
        if page.status == HTTPStatus.OK and len(page.body) <= MAX_CACHED_BYTES:
            self._pages.put(key, (data, others, page))
        return page

    def _additions(self, request: RouteRequest) -> Additions:
        """Return what does not follow from the project itself, and is asked for at each request."""
        path, name, version = index_path(request), request.params["project"], request.params.get("version", "")
        place, subject = ("version", f"{path}/{name}/{version}") if version else ("project", f"{path}/{name}")
        return Additions(self._search.users_of(request, name), tuple(request.blocks(place, subject)))

    def _page(self, request: RouteRequest, data: ProjectData, additions: Additions) -> RouteResponse:
        wanted = request.params.get("version", "")
        if target := redirect_target(data, wanted):
            location = f"{root_of(request)}/{index_path(request)}/{request.params['project']}/{segment(target)}"
            headers = {"location": location, "cache-control": "no-cache"}
            return RouteResponse(status=HTTPStatus.FOUND, headers=headers, media_type="text/plain")
        if data.release is None:
            return self._unknown(request, data, wanted)
        return self._release(request, data, data.release, wanted, additions)

    def _release(
        self, request: RouteRequest, data: ProjectData, release: ReleaseData, wanted: str, additions: Additions
    ) -> RouteResponse:
        path, name, version = index_path(request), request.params["project"], release.line.version
        projects = [each.project for each in release.dependencies if each.project]
        install = f"pip install --index-url {request.base_url}/{path}/+simple/ {name}"
        return self._renderer.page(
            request,
            "project.html",
            f"{name} {version} · {path}" if wanted else f"{name} · {path}",
            crumbs=crumbs_of(request, version if wanted else ""),
            alternate=f"/{path}/{name}/{segment(version)}" if wanted else f"/{path}/{name}",
            path=path,
            name=name,
            pinned=bool(wanted),
            outdated=bool(wanted) and data.versions.is_outdated(version),
            install=f"{install}=={version}" if wanted else install,
            project=data.project,
            release=release,
            users=additions.users,
            blocks=additions.blocks,
            # The files of a quarantined project are not shown, but its status can be set.
            actions=release_actions(request, path, name, version) if path in (release.sources or [path]) else [],
            linked=request.view.serves(path, projects),
            **listed_versions(request, data.versions),
        )

    def _unknown(self, request: RouteRequest, data: ProjectData, wanted: str) -> RouteResponse:
        """Return the page of a version that does not exist, with those that do."""
        return self._renderer.page(
            request,
            "unknown_version.html",
            "Not found",
            status=HTTPStatus.NOT_FOUND,
            crumbs=crumbs_of(request, wanted),
            path=index_path(request),
            name=request.params["project"],
            project=data.project,
            wanted=wanted[:200],
            **listed_versions(request, data.versions),
        )


def unless_known(request: RouteRequest, page: RouteResponse) -> RouteResponse:
    """Return a kept page, or 304 if the browser has it already."""
    etag = page.headers.get("etag")
    if etag is None or etag not in request.request.headers.get("if-none-match", ""):
        return page
    return RouteResponse(status=HTTPStatus.NOT_MODIFIED, headers=page.headers, media_type=page.media_type)


def listed_versions(request: RouteRequest, versions: Versions) -> dict[str, Any]:
    """Return the values of the list of versions: all of them if the address asks for that."""
    shown = MAX_ALL_VERSIONS if request.query.get("versions") == "all" else MAX_SHOWN_VERSIONS
    return {"versions": versions.lines[:shown], "latest": versions.latest, "version_count": len(versions.lines)}


def crumbs_of(request: RouteRequest, version: str) -> list[tuple[str, str]]:
    """Return the way to the page of a project, or of one version of it."""
    user, index, name = (request.params[key] for key in ("user", "index", "project"))
    steps = [user, index, name, *([version] if version else [])]
    return [(text, "/" + "/".join(segment(each) for each in steps[: count + 1])) for count, text in enumerate(steps)]
