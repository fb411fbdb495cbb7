"""Projects and versions as users type them: ``NAME``, ``NAME>=1.0``, ``NAME==1.0``."""

from __future__ import annotations

import re
from collections.abc import Callable

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wheelgate_client.errors import ClientError

_OLDEST_VERSION = Version("0.dev0")


def parse_requirement(text: str) -> Requirement:
    """Parse a project name with an optional range of versions.

    Raises:
        ClientError: if the text is anything else.
    """
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        requirement = None
    if requirement is None or requirement.url or requirement.marker or requirement.extras:
        raise ClientError(
            f"'{text}' is not a project or a range of its versions: give NAME, or for example 'NAME>=1.0' in quotes"
        )
    return requirement


def parse_pinned(text: str, warn: Callable[[str], None]) -> tuple[str, str]:
    """Return name and version of ``NAME==VERSION``; call ``warn`` for the deprecated form ``NAME-VERSION``.

    Raises:
        ClientError: if the text is anything else.
    """
    if exact := re.fullmatch(r"\s*([\w.-]+)\s*==\s*([^\s,;*=]+)\s*", text):
        return exact[1], exact[2]
    if old := re.fullmatch(r"([\w.-]+?)-(\d[\w.+!]*)", text):
        warn("Old style package specification is deprecated, use this form: your-pkg-name==your.version.specifier")
        return old[1], old[2]
    raise ClientError("The release specification needs to be of this form: name==version")


def allows_version(requirement: Requirement, version: str) -> bool:
    """Tell whether the requirement allows the version; an invalid version has to be pinned literally."""
    if parse_version(version) is None:
        return not requirement.specifier or str(requirement.specifier) in {f"=={version}", f"==={version}"}
    return requirement.specifier.contains(version, prereleases=True)


def parse_version(version: str) -> Version | None:
    """Return the version, or None for an invalid one: other servers store some."""
    try:
        return Version(version)
    except InvalidVersion:
        return None


def version_sort_key(version: str) -> tuple[Version, str]:
    """Return the key to sort versions by; invalid versions come first, as the oldest."""
    return parse_version(version) or _OLDEST_VERSION, version


def normalize_name(name: str) -> str:
    """Return the name in the normalized form that indices compare."""
    return canonicalize_name(name)
