"""``/{user}/{index}/{project}`` and ``/{user}/{index}/{project}/{version}``."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from wheelgate import Server
from wheelgate.caches import LruCache
from wheelgate.errors import NotFound
from wheelgate.packages import is_project_name
from wheelgate.page_blocks import Block
from wheelgate.providers import RouteRequest, RouteResponse
from wheelgate.server_view import ProjectFiles, VersionView
from wheelgate_web.projects.facts import dependencies_of, facts_of, links_of
from wheelgate_web.projects.files import QUARANTINED, files_of_version
from wheelgate_web.projects.test_runs import TestResults
from wheelgate_web.projects.versions import LATEST, STABLE, Versions, versions_of
from wheelgate_web.readmes.rendering import Readmes, description_text
from wheelgate_web.rendering import Renderer, root_of
from wheelgate_web.search.matching import Matches, Search
from wheelgate_web.search.scopes import scope_of
from wheelgate_web.text_filters import segment

MAX_SHOWN_VERSIONS = 50
"""Versions in the list of a page that shows something else as well."""
MAX_ALL_VERSIONS = 1000
"""Versions in the list of all."""
PAGE_CACHE_ENTRIES = 60
"""Pages of anonymous readers that a worker keeps."""
MAX_CACHED_BYTES = 100_000
BARE_KEYS = frozenset({"name", "version", "requires_python", "yanked"})
"""The metadata that a mirror knows without asking for more."""

MAX_SHOWN_USERS = 20
"""Projects that require the project, of those that the page names."""
NO_MATCHES = Matches((), more=False)

Kept = tuple[object, float | None, RouteResponse]
"""The stamps of a page, when it expires in seconds since 1970, and the page."""


@dataclass(frozen=True, slots=True)
class Additions:
    """What a page says beside the project itself."""

    users: Matches
    """The projects that require it."""
    blocks: tuple[Block, ...]


class ProjectPages:
    """Shows a project, or one version of it."""

    def __init__(self, server: Server, renderer: Renderer) -> None:
        self._renderer = renderer
        self._search = Search(server.database)
        self._readmes = Readmes(server.database)
        self._results = TestResults(server)
        self._pages: LruCache[tuple[str, str], Kept] = LruCache(PAGE_CACHE_ENTRIES)

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show the project's latest version, or the version in the address.

        Raises:
            Refusal: as ``request.view`` does.
        """
        additions = self._additions(request)
        if request.principal.name is not None or request.query:
            return self._make(request, additions)[0]
        view, path, name = request.view, index_path(request), request.params["project"]
        # What other projects this index serves decides which dependencies are links.
        stamps = view.stamp(path, name), view.stamp(path), additions
        key = request.base_url, request.request.path
        kept = self._pages.get(key)
        if kept is not None and kept[0] == stamps and (kept[1] is None or time.time() < kept[1]):
            return unless_known(request, kept[2])
        page, until, is_final = self._make(request, additions)
        if is_final and page.status == HTTPStatus.OK and len(page.body) <= MAX_CACHED_BYTES:
            self._pages.put(key, (stamps, until, page))
        return page

    def _additions(self, request: RouteRequest) -> Additions:
        """Return what does not follow from the project itself, and is asked for at each request."""
        path, name, version = index_path(request), request.params["project"], request.params.get("version", "")
        place, subject = ("version", f"{path}/{name}/{version}") if version else ("project", f"{path}/{name}")
        request.view.index(path)  # whoever may not read it gets the refusal, and no plugin is asked
        users = self._search.users_of(scope_of(request), name, MAX_SHOWN_USERS) if is_project_name(name) else NO_MATCHES
        return Additions(users, tuple(request.blocks(place, subject)))

    def _make(self, request: RouteRequest, additions: Additions) -> tuple[RouteResponse, float | None, bool]:
        """Return the page, when it expires, and whether it would be the same if it was made again."""
        path, name = index_path(request), request.params["project"]
        wanted = request.params.get("version", "")
        files = request.view.files(path, name)
        releases = releases_of(request)
        versions = versions_of(files, releases)
        if wanted in (LATEST, STABLE) and versions.find(wanted) is None and (target := versions.target(wanted)):
            location = f"{root_of(request)}/{path}/{name}/{segment(target)}"
            headers = {"location": location, "cache-control": "no-cache"}
            return RouteResponse(status=HTTPStatus.FOUND, headers=headers, media_type="text/plain"), None, True
        line = versions.find(wanted or versions.latest)
        if line is None:
            return self._unknown(request, files, versions), None, True
        release = next(each for each in releases if each.version == line.version)
        readme = self._readmes.html(metadata_of(request, path, name, release))
        values = {
            **self._values(request, files, release, versions),
            "line": line,
            "pinned": bool(wanted),
            "outdated": bool(wanted) and versions.is_outdated(line.version),
            "readme": readme.html,
            "users": additions.users.entries,
            "more_users": additions.users.more,
            "blocks": additions.blocks,
        }
        title = f"{name} {line.version} · {path}" if wanted else f"{name} · {path}"
        page = self._renderer.page(
            request,
            "project.html",
            title,
            crumbs=crumbs_of(request, line.version if wanted else ""),
            alternate=f"/{path}/{name}" + (f"/{segment(line.version)}" if wanted else ""),
            **values,
        )
        return page, files.until, readme.is_final

    def _values(
        self, request: RouteRequest, files: ProjectFiles, release: VersionView, versions: Versions
    ) -> Mapping[str, Any]:
        path, name = index_path(request), request.params["project"]
        metadata = metadata_of(request, path, name, release)
        dependencies = dependencies_of(metadata)
        found = files_of_version(files, release)
        return {
            "path": path,
            "name": name,
            "project": files,
            "files": found,
            "sources": list(dict.fromkeys(file.index for file in found.served)),
            "summary": str(metadata.get("summary") or ""),
            "description": description_text(metadata),
            "facts": facts_of(metadata),
            "links": links_of(metadata),
            "dependencies": dependencies,
            "linked": request.view.serves(path, [each.project for each in dependencies if each.project]),
            "results": self._results.of(release) if files.status != QUARANTINED else [],
            "install": f"pip install --index-url {request.base_url}/{path}/+simple/ {name}",
            **listed(request, versions),
        }

    def _unknown(self, request: RouteRequest, files: ProjectFiles, versions: Versions) -> RouteResponse:
        """Return the page of a version that does not exist, with those that do."""
        return self._renderer.page(
            request,
            "unknown_version.html",
            "Not found",
            status=HTTPStatus.NOT_FOUND,
            crumbs=crumbs_of(request, request.params.get("version", "")),
            path=index_path(request),
            name=request.params["project"],
            project=files,
            wanted=request.params.get("version", "")[:200],
            **listed(request, versions),
        )


def releases_of(request: RouteRequest) -> Sequence[VersionView]:
    """Return the versions of a project that exists; a mirror has none as long as it holds back all files."""
    try:
        return request.view.releases(index_path(request), request.params["project"])
    except NotFound:
        return ()


def unless_known(request: RouteRequest, page: RouteResponse) -> RouteResponse:
    """Return a kept page, or 304 if the browser has it already."""
    etag = page.headers.get("etag")
    if etag is None or etag not in request.request.headers.get("if-none-match", ""):
        return page
    return RouteResponse(status=HTTPStatus.NOT_MODIFIED, headers=page.headers, media_type=page.media_type)


def listed(request: RouteRequest, versions: Versions) -> dict[str, Any]:
    """Return the values of the list of versions: all of them if the address asks for that."""
    shown = MAX_ALL_VERSIONS if request.query.get("versions") == "all" else MAX_SHOWN_VERSIONS
    return {"versions": versions.lines[:shown], "latest": versions.latest, "version_count": len(versions.lines)}


def metadata_of(request: RouteRequest, path: str, name: str, release: VersionView) -> Mapping[str, Any]:
    """Return the metadata of a version; of a mirrored one, they are beside its files."""
    if release.release.metadata.keys() <= BARE_KEYS:
        return {**release.release.metadata, **request.view.metadata(path, name, release.version)}
    return release.release.metadata


def index_path(request: RouteRequest) -> str:
    """Return the path of the index in the address."""
    return f"{request.params['user']}/{request.params['index']}"


def crumbs_of(request: RouteRequest, version: str) -> list[tuple[str, str]]:
    """Return the way to the page of a project, or of one version of it."""
    user, index, name = (request.params[key] for key in ("user", "index", "project"))
    steps = [user, index, name, *([version] if version else [])]
    return [(text, "/" + "/".join(segment(each) for each in steps[: count + 1])) for count, text in enumerate(steps)]
