"""Versions compared as PEP 440 compares them: ``2``, ``2.0`` and ``2.0.0`` are the same version."""

from __future__ import annotations

from functools import lru_cache

from packaging.utils import canonicalize_version
from packaging.version import Version

VERSION_KEY_CACHE_ENTRIES = 4096
"""Versions whose key is cached: the files of a release come one after the other."""


@lru_cache(VERSION_KEY_CACHE_ENTRIES)
def version_key(version: str | Version) -> str:
    """Return the common form of all spellings of a version; text that is not a version is its own form."""
    return canonicalize_version(version)
