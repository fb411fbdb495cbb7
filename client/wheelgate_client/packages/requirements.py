"""Projects and versions as they are typed: ``NAME``, ``NAME>=1.0``, ``NAME==1.0``."""

from __future__ import annotations

import re
from collections.abc import Callable

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelgate_client.errors import ClientError

_OLDEST = Version("0.dev0")


def wanted(text: str) -> Requirement:
    """Return the project and the versions that are meant.

    Raises:
        ClientError: if the text is no name with versions behind it.
    """
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        requirement = None
    if requirement is None or requirement.url or requirement.marker or requirement.extras:
        raise ClientError(f"'{text}' names no versions of a project: give NAME, or for example 'NAME>=1.0' in quotes")
    return requirement


def pinned(text: str, deprecated: Callable[[str], None]) -> tuple[str, str]:
    """Return name and version of ``NAME==VERSION``; tell ``deprecated`` about the older form ``NAME-VERSION``.

    Raises:
        ClientError: if it is anything else.
    """
    if exact := re.fullmatch(r"\s*([\w.-]+)\s*==\s*([^\s,;*=]+)\s*", text):
        return exact[1], exact[2]
    if old := re.fullmatch(r"([\w.-]+?)-(\d[\w.+!]*)", text):
        deprecated(
            "Old style package specification is deprecated, use this form: your-pkg-name==your.version.specifier"
        )
        return old[1], old[2]
    raise ClientError("The release specification needs to be of this form: name==version")


def allows(requirement: Requirement, version: str) -> bool:
    """Tell whether the version is meant; one that follows no rules is only if it is given as it is."""
    if parsed(version) is None:
        return not requirement.specifier or str(requirement.specifier) in {f"=={version}", f"==={version}"}
    return requirement.specifier.contains(version, prereleases=True)


def parsed(version: str) -> Version | None:
    """Return the version, or None for one that follows no rules: other servers hold some."""
    try:
        return Version(version)
    except InvalidVersion:
        return None


def age(version: str) -> tuple[Version, str]:
    """Return what versions are sorted by: the higher the newer; those that follow no rules are the oldest."""
    return parsed(version) or _OLDEST, version


def normalised(name: str) -> str:
    """Return the name as every index compares it."""
    return canonicalize_name(name)
