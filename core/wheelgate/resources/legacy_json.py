"""``/{user}/{index}/pypi/{project}/json`` and ``…/{version}/json``: the legacy JSON of the public index.

Tools that look for new versions and for vulnerabilities ask for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon.asgi

from wheelgate.errors import NotFound, Refusal
from wheelgate.http.answers import encode_json
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.path_segments import version_segment
from wheelgate.packages import PackageSource, read_core_metadata
from wheelgate.resources.package_paths import project_name
from wheelgate.services.packages.legacy_json import (
    legacy_document,
    legacy_metadata,
    matching_version,
    newest_version,
)
from wheelgate.services.packages.merging import IndexMerger, MergedProject
from wheelgate.services.packages.rendering import UrlPrefix, absolute_urls
from wheelgate.services.packages.sources import Sources
from wheelgate.threads.large_inputs import call_aside
from wheelgate.values import Index

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
            await self._metadata(page, found),
            absolute_urls(server_url),
            f"{server_url}/{resolution.index.path}/{name}",
            whole=not version,
        )

    async def _metadata(self, page: MergedProject, version: str) -> Mapping[str, Any]:
        """Return the core metadata of a version, from the first index that has them; a mirror is asked for one file."""
        for index, files in page.parts:
            source = self._sources.of(index)
            paths = [file.path for file in files if file.version == version and file.core_metadata is not None]
            if source is None:
                continue
            if not source.last:
                for release in await self._sources.call(index, source.releases, index, page.name):
                    if release.version == version:
                        return release.metadata
            elif paths:
                try:
                    return await self._sources.run_in_thread(index, parsed_metadata, source, index, paths[0])
                except Refusal:
                    return {}  # the files are listed all the same
        return {}


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


def parsed_metadata(source: PackageSource, index: Index, path: str) -> dict[str, Any]:
    """Return the core metadata beside a file, with the keys of version data; empty if they are not valid."""
    try:
        return legacy_metadata(read_core_metadata(source.core_metadata(index, path)))
    except ValueError:
        return {}
