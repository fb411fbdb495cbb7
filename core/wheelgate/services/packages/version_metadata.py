"""The core metadata of one version of a project, from the first index that has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wheelgate.errors import Refusal
from wheelgate.packages import PackageSource, read_core_metadata
from wheelgate.services.packages.legacy_json import legacy_metadata
from wheelgate.services.packages.merging import MergedProject
from wheelgate.services.packages.sources import Sources
from wheelgate.values import Index


async def version_metadata(sources: Sources, page: MergedProject, version: str) -> Mapping[str, Any]:
    """Return the metadata with the keys of version data; empty if there are none. A mirror is asked for one file."""
    for index, files in page.parts:
        source = sources.of(index)
        paths = [file.path for file in files if file.version == version and file.core_metadata is not None]
        if source is None:
            continue
        if not source.last:
            for release in await sources.call(index, source.releases, index, page.name):
                if release.version == version:
                    return release.metadata
        elif paths:
            try:
                return await sources.run_in_thread(index, parsed_metadata, source, index, paths[0])
            except Refusal:
                return {}  # the files are listed all the same
    return {}


def parsed_metadata(source: PackageSource, index: Index, path: str) -> dict[str, Any]:
    """Return the core metadata beside a file, with the keys of version data; empty if they are not valid."""
    try:
        return legacy_metadata(read_core_metadata(source.core_metadata(index, path)))
    except ValueError:
        return {}
