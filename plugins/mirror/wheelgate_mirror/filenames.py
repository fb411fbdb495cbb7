"""Project and version in the name of an upstream's file."""

from __future__ import annotations

import re

from packaging.version import Version

from wheelgate.packages import is_project_name, normalize, parsed_version

ARCHIVE_SUFFIXES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".tar", ".egg", ".exe", ".msi", ".rpm")
"""What upstreams have. Most of these date from the years when indices took more than wheels and sdists."""
TAGGED_SUFFIXES = (".whl", ".egg")
"""In these names, tags follow the version after a hyphen."""
ARCHIVE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+!~-]{0,254}")
"""The characters of an archive's name; file systems allow 255."""


def stem(filename: str) -> str:
    """Return a file's name without its suffix; empty if it cannot be the name of a project's archive."""
    suffix = next((suffix for suffix in ARCHIVE_SUFFIXES if filename.endswith(suffix)), "")
    return filename.removesuffix(suffix) if suffix and ARCHIVE_NAME.fullmatch(filename) else ""


def version_of(filename: str, project: str) -> str | None:
    """Return the normalised version in a file's name.

    It is empty if the name has no version that PEP 440 allows, and None if the file does not belong to the project.
    """
    for name, version in _splits(filename):
        if name == project:
            return normalized_version(version) or ""
    return None


def projects_of(filename: str) -> list[str]:
    """Return the projects that a file can belong to by its name, the likeliest first."""
    splits = [(name, version) for name, version in _splits(filename) if is_project_name(name)]
    return [name for name, _ in sorted(splits, key=lambda split: normalized_version(split[1]) is None)]


def normalized_version(text: str) -> str | None:
    """Return a version as PEP 440 writes it; None if it is not a version."""
    version = parsed_version(text)
    return None if version is None else str(version)


def version_sort_key(version: str) -> tuple[bool, Version]:
    """Return a key that sorts versions, oldest first; text that PEP 440 does not allow comes before all of them."""
    parsed = parsed_version(version)
    return (False, Version("0")) if parsed is None else (True, parsed)


def _splits(filename: str) -> list[tuple[str, str]]:
    """Return all ways to split a file's name into a normalised project name and a version."""
    parts = stem(filename).split("-")
    if filename.endswith(TAGGED_SUFFIXES):
        return [(normalize(parts[0]), parts[1].replace("_", "-"))] if len(parts) > 1 else []
    return [(normalize("-".join(parts[:end])), "-".join(parts[end:])) for end in range(1, len(parts))]
