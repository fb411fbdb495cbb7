"""Releases as JSON: ``versiondata`` for one version, ``projectconfig`` for all versions of a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wheelgate.packages import LogEntry, Release, ReleaseFile
from wheelgate.services.json_objects import json_bytes
from wheelgate.services.packages.rendering import UrlPrefix, url_below
from wheelgate.values import Index

MAX_LISTED_VALUE_BYTES = 5000
"""Bytes, as JSON, of one field of the metadata in a listing of all versions; a description may have four million."""
LINKS_KEY = "+links"
"""Key of the files of a version."""
SHADOWING_KEY = "+shadowing"
"""Key of the data that further indices have of the same version."""


def project_config(
    releases_by_index: Sequence[tuple[Index, Sequence[Release]]], files_at: UrlPrefix
) -> dict[str, dict[str, Any]]:
    """Return the data of all versions.

    If several indices have a version, the first one's data contains that of the others.
    """
    versions: dict[str, dict[str, Any]] = {}
    for index, releases in releases_by_index:
        for release in releases:
            data = version_data(release, files_at(index))
            first = versions.setdefault(release.version, data)
            if first is not data:
                first.setdefault(SHADOWING_KEY, []).append(data)
    return versions


def without_long_values(versions: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the data of all versions for a listing: without metadata that only the page of one version shows."""
    return {version: _shortened(data) for version, data in versions.items()}


def _shortened(data: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        key: value
        for key, value in data.items()
        if key in (LINKS_KEY, SHADOWING_KEY) or json_bytes(value) <= MAX_LISTED_VALUE_BYTES
    }
    if SHADOWING_KEY in kept:
        kept[SHADOWING_KEY] = [_shortened(other) for other in kept[SHADOWING_KEY]]
    return kept


def version_data(release: Release, prefix: str) -> dict[str, Any]:
    """Return the data of one version; ``prefix`` begins the URLs of its files."""
    data = dict(release.metadata)
    if release.files:
        data[LINKS_KEY] = [link_data(link, prefix) for link in release.files]
    return data


def link_data(link: ReleaseFile, prefix: str) -> dict[str, Any]:
    """Return a file with its absolute URL."""
    sha256 = link.hashes.get("sha256")
    data: dict[str, Any] = {
        "rel": link.rel,
        "hash_spec": f"sha256={sha256}" if sha256 else "",
        "hashes": dict(link.hashes),
        "href": url_below(prefix, link.path),
    }
    if link.log:
        data["log"] = [log_data(log) for log in link.log]
    if link.for_path is not None:
        data["for_href"] = url_below(prefix, link.for_path)
    return data


def log_data(log: LogEntry) -> dict[str, Any]:
    """Return one entry of a file's history."""
    data: dict[str, Any] = {
        "what": log.what,
        "who": log.who,
        "when": [*log.when.timetuple()[:6]],
        "dst": log.dst,
    }
    if log.src is not None:
        data["src"] = log.src
    if log.count is not None:
        data["count"] = log.count
    return data
