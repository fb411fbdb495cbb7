"""What the name of a file says: whose it is, and which version."""

from __future__ import annotations

import re

from packaging.version import InvalidVersion, Version

from wheelgate.packages import is_project_name, normalize

ARCHIVES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".tar", ".egg", ".exe", ".msi", ".rpm")
"""What upstreams offer; most of it dates from times when indices took more than wheels and sdists."""
TAGGED = (".whl", ".egg")
"""Here the version ends at the next hyphen, and what follows are tags."""
FORM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+!~-]{0,254}")


def stem(filename: str) -> str:
    """Return a file's name without its suffix; empty if no archive of a project can have that name."""
    suffix = next((suffix for suffix in ARCHIVES if filename.endswith(suffix)), "")
    return filename.removesuffix(suffix) if suffix and FORM.fullmatch(filename) else ""


def version_of(filename: str, project: str) -> str | None:
    """Return the normalised version that a file's name says.

    It is empty if the name says none that PEP 440 knows, and None if it is no file of that project.
    """
    for name, rest in _splits(filename):
        if name == project:
            return normalized_version(rest) or ""
    return None


def projects_of(filename: str) -> list[str]:
    """Return the projects that a file may belong to by its name, the likeliest first."""
    splits = [(name, rest) for name, rest in _splits(filename) if is_project_name(name)]
    return [name for name, _ in sorted(splits, key=lambda split: normalized_version(split[1]) is None)]


def normalized_version(text: str) -> str | None:
    """Return a version as PEP 440 writes it; None if it is none."""
    try:
        return str(Version(text))
    except InvalidVersion:
        return None


def order(version: str) -> tuple[bool, Version]:
    """Make a key that sorts versions by age, and what is no version before all of them."""
    try:
        return True, Version(version)
    except InvalidVersion:
        return False, Version("0")


def _splits(filename: str) -> list[tuple[str, str]]:
    """Return the ways to take a file's name for a normalised project and a version."""
    parts = stem(filename).split("-")
    if filename.endswith(TAGGED):
        return [(normalize(parts[0]), parts[1].replace("_", "-"))] if len(parts) > 1 else []
    return [(normalize("-".join(parts[:end])), "-".join(parts[end:])) for end in range(1, len(parts))]
