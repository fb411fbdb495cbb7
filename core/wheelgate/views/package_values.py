"""Turns merged projects and releases into the values of views."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import Any

from packaging.version import Version

from wheelgate.packages import LogEntry, Release, parsed_version, version_key
from wheelgate.server_view import IndexAnswer, ProjectFiles, ServedFile, VersionView
from wheelgate.services.packages.merging import MergedProject
from wheelgate.values import Index


def files_of(page: MergedProject) -> ProjectFiles:
    """Return a project with its files."""
    return ProjectFiles(
        page.name,
        tuple(ServedFile(index.path, file) for index, files in page.parts for file in files),
        page.versions,
        page.status,
        page.status_reason,
        page.stale,
        page.until,
        page.left_out,
    )


def views_of_versions(
    releases_by_index: Sequence[tuple[Index, Sequence[Release]]], hidden: Container[str]
) -> tuple[VersionView, ...]:
    """Return all versions, the newest first; ``hidden`` has the paths that no history may name."""
    found: dict[str, list[tuple[str, Release]]] = {}
    for index, releases in releases_by_index:
        for release in releases:
            shown = without_hidden(release, hidden)
            found.setdefault(version_key(release.version), []).append((index.path, shown))
    views = [
        VersionView(layers[0][1].version, layers[0][0], layers[0][1], tuple(layers[1:])) for layers in found.values()
    ]
    return tuple(sorted(views, key=lambda view: sort_key(view.version), reverse=True))


def sort_key(version: str) -> tuple[bool, Version, str]:
    """Return the key that sorts versions, oldest first; texts that are not a version (PEP 440) come first."""
    parsed = parsed_version(version)
    return parsed is not None, parsed or Version("0"), version


def without_hidden(release: Release, hidden: Container[str]) -> Release:
    """Return a release whose history does not name hidden indices: what happened there is as hidden as they are."""
    files = tuple(replace(file, log=shown_log(file.log, hidden)) for file in release.files)
    return replace(release, files=files)


def shown_log(log: Sequence[LogEntry], hidden: Container[str]) -> tuple[LogEntry, ...]:
    """Return the entries of a history that may be shown."""
    shown = [entry for entry in log if entry.dst not in hidden]
    return tuple(replace(entry, src=None) if entry.src in hidden else entry for entry in shown)


def answers_of(explanation: Mapping[str, Any]) -> tuple[IndexAnswer, ...]:
    """Return the explanation of a project."""
    return tuple(
        IndexAnswer(
            entry["index"],
            entry["type"],
            entry["state"],
            tuple(entry["versions"]),
            entry["files"],
            entry["reason"],
            entry.get("absent_until"),
        )
        for entry in explanation["indices"]
    )
