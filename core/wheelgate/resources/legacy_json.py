"""``/{user}/{index}/pypi/{project}/json`` and ``…/{version}/json``: the legacy JSON of the public index.

Tools that look for new versions and for vulnerabilities ask for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon.asgi

from wheelgate.errors import NotFound
from wheelgate.http.answers import encode_json
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.path_segments import version_segment
from wheelgate.resources.package_paths import project_name
from wheelgate.services.packages.legacy_json import (
    legacy_document,
    matching_version,
    newest_version,
)
from wheelgate.services.packages.merging import IndexMerger, MergedProject
from wheelgate.services.packages.rendering import UrlPrefix, absolute_urls
from wheelgate.services.packages.sources import Sources
from wheelgate.services.packages.version_metadata import version_metadata
from wheelgate.threads.large_inputs import call_aside

MAX_FILES_ON_LOOP = 300
"""Files and versions of a project that the event loop describes by itself; 20,000 take half a second."""


class LegacyJsonResource:
    """Describes a project with all its files, or one version of it."""

    def __init__(self, context: HandlerContext, merger: IndexMerger, sources: Sources) -> None:
        self._context = context
        self._merger = merger
        self._sources = sources

    async def on_get(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        user: str,
        index: str,
        project: str,
        version: str = "",
    ) -> None:
        """Describe the newest version and list the files of all; or describe the version in the address."""
        name = project_name(req, resp, project, f"/{version_segment(version)}/json" if version else "/json")
        if not name:
            return
        resolution = await self._context.readable_index(req, user, index, name)
        page = await self._merger.project(resolution, name)
        large = is_large(page)
        found = await call_aside(large, chosen_version, page, version)
        if not found:
            raise NotFound(
                f"project {name} has no version {ascii(version)[1:-1][:200]}"
                if version
                else f"project {name} has no version"
            )
        server_url = self._context.server_url(req)
        resp.data = await call_aside(
            large,
            encoded_document,
            page,
            found,
            await version_metadata(self._sources, page, found),
            absolute_urls(server_url),
            f"{server_url}/{resolution.index.path}/{name}",
            whole=not version,
        )


def is_large(page: MergedProject) -> bool:
    """Return whether the description of a project takes so long that it does not belong on the event loop."""
    return sum(len(files) for _, files in page.parts) + len(page.versions) > MAX_FILES_ON_LOOP


def chosen_version(page: MergedProject, wanted: str) -> str:
    """Return the wanted version in the project's spelling, or the newest; empty if there is none."""
    return matching_version(page.versions, wanted) if wanted else newest_version(page)


def encoded_document(
    page: MergedProject,
    version: str,
    metadata: Mapping[str, Any],
    files_at: UrlPrefix,
    project_url: str,
    *,
    whole: bool,
) -> bytes:
    """Return what :func:`legacy_document` describes, as JSON."""
    return encode_json(legacy_document(page, version, metadata, files_at, project_url, whole=whole))
