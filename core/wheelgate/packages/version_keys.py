"""Versions compared as PEP 440 compares them: ``2``, ``2.0`` and ``2.0.0`` are the same version."""

from __future__ import annotations

from collections.abc import Container, Iterable
from functools import lru_cache

from packaging.utils import canonicalize_version
from packaging.version import Version

VERSION_KEY_CACHE_ENTRIES = 4096
"""Versions whose key is cached: the files of a release come one after the other."""


@lru_cache(VERSION_KEY_CACHE_ENTRIES)
def version_key(version: str | Version) -> str:
    """Return the common form of all spellings of a version; text that is not a version is its own form."""
    try:
        return canonicalize_version(version)
    except ValueError:  # a number of more than 4,300 digits
        return str(version)


def parsed_version(text: str) -> Version | None:
    """Parse a version (PEP 440); None if it is not one, or has a number of more than 4,300 digits."""
    try:
        return Version(text)
    except ValueError:  # InvalidVersion is one, too
        return None


def latest_version(versions: Iterable[str], yanked: Container[str] = ()) -> str:
    """Return the version to show first; empty if there is none.

    That is the highest which is neither yanked nor a pre-release, else the highest that is not yanked, else the highest
    of all. Texts that are not versions (PEP 440) come last.
    """

    def rank(text: str) -> tuple[int, bool, Version, str]:
        version = parsed_version(text)
        allowed = text not in yanked
        is_stable = allowed and version is not None and not version.is_prerelease
        return allowed + is_stable, version is not None, version or Version("0"), text

    return max(versions, key=rank, default="")
