"""Releases as the wire shows them: ``versiondata``, and ``projectconfig`` of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wheelgate.packages import Link, Log, Release
from wheelgate.services.rendering import Base, address
from wheelgate.values import Index

SHADOWING = "+shadowing"


def version_list(found: Sequence[tuple[Index, Sequence[Release]]], base: Base) -> dict[str, dict[str, Any]]:
    """Return the data of all versions; where several indices have one, the others stand in that of the first."""
    versions: dict[str, dict[str, Any]] = {}
    for index, releases in found:
        for release in releases:
            data = version_data(release, base(index))
            first = versions.setdefault(release.version, data)
            if first is not data:
                first.setdefault(SHADOWING, []).append(data)
    return versions


def version_data(release: Release, prefix: str) -> dict[str, Any]:
    """Return the data of one version; ``prefix`` stands before the addresses of its files."""
    data = dict(release.metadata)
    if release.links:
        data["+links"] = [link_data(link, prefix) for link in release.links]
    return data


def link_data(link: Link, prefix: str) -> dict[str, Any]:
    """Return a link with a whole address."""
    sha256 = link.hashes.get("sha256")
    data: dict[str, Any] = {
        "rel": link.rel,
        "hash_spec": f"sha256={sha256}" if sha256 else "",
        "hashes": dict(link.hashes),
        "href": address(prefix, link.path),
    }
    if link.log:
        data["log"] = [log_data(log) for log in link.log]
    if link.for_path is not None:
        data["for_href"] = address(prefix, link.for_path)
    return data


def log_data(log: Log) -> dict[str, Any]:
    """Return one line of a file's history."""
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
