"""Releases as JSON: ``versiondata`` for one version, ``projectconfig`` for all versions of a project."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from wheelgate.packages import LogEntry, Release, ReleaseFile, version_key
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
    releases_by_index: Sequence[tuple[Index, Sequence[Release]]], files_at: UrlPrefix, hidden: Container[str]
) -> dict[str, dict[str, Any]]:
    """Return the data of all versions.

    If several indices have a version, the first one's data contains that of the others.

    Args:
        releases_by_index: the indices, each with its releases.
        files_at: returns what the URLs of an index's files begin with.
        hidden: the paths of indices that the history of a file must not name.
    """
    versions: dict[str, dict[str, Any]] = {}
    spellings: dict[str, str] = {}
    for index, releases in releases_by_index:
        for release in releases:
            data = version_data(release, files_at(index), hidden)
            first = versions.setdefault(spellings.setdefault(version_key(release.version), release.version), data)
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


def find_version(versions: Mapping[str, dict[str, Any]], version: str) -> dict[str, Any] | None:
    """Return the data of a version in any spelling (PEP 440); None if it is not among them."""
    key = version_key(version)
    return next((data for spelling, data in versions.items() if version_key(spelling) == key), None)


def indices_in_history(releases_by_index: Sequence[tuple[Index, Sequence[Release]]]) -> set[str]:
    """Return the paths of the indices that the history of any file names."""
    files = [file for _, releases in releases_by_index for release in releases for file in release.files]
    return {path for file in files for entry in file.log for path in (entry.dst, entry.src) if path}


def version_data(release: Release, prefix: str, hidden: Container[str]) -> dict[str, Any]:
    """Return the data of one version; ``prefix`` begins the URLs of its files."""
    data = dict(release.metadata)
    if release.files:
        data[LINKS_KEY] = [link_data(link, prefix, hidden) for link in release.files]
    return data


def link_data(link: ReleaseFile, prefix: str, hidden: Container[str]) -> dict[str, Any]:
    """Return a file with its absolute URL."""
    sha256 = link.hashes.get("sha256")
    data: dict[str, Any] = {
        "rel": link.rel,
        "hash_spec": f"sha256={sha256}" if sha256 else "",
        "hashes": dict(link.hashes),
        "href": url_below(prefix, link.path),
    }
    # What happened to a file on a hidden index is as hidden as the index.
    shown = [log_data(log, hidden) for log in link.log if log.dst not in hidden]
    if shown:
        data["log"] = shown
    if link.for_path is not None:
        data["for_href"] = url_below(prefix, link.for_path)
    return data


def log_data(log: LogEntry, hidden: Container[str]) -> dict[str, Any]:
    """Return one entry of a file's history."""
    data: dict[str, Any] = {
        "what": log.what,
        "who": log.who,
        "when": [*log.when.timetuple()[:6]],
        "dst": log.dst,
    }
    if log.src is not None and log.src not in hidden:
        data["src"] = log.src
    if log.count is not None:
        data["count"] = log.count
    return data
