"""Checks of single segments of a request's path."""

from __future__ import annotations

import re

import falcon

FORBIDDEN_IN_SEGMENT = re.compile(r"[+/\x00-\x1f\x7f]")
"""Characters that no name in a path contains."""


def path_segment(value: str) -> str:
    """Return a segment of a path that names a user, an index or a project.

    Raises:
        falcon.HTTPNotFound: it contains a ``+`` or a slash, which belong to other routes, or a control character.
    """
    if FORBIDDEN_IN_SEGMENT.search(value):
        raise falcon.HTTPNotFound
    return value


def version_segment(value: str) -> str:
    """Return a segment of a path that names a version, which may contain ``+`` after its first character (PEP 440).

    Raises:
        falcon.HTTPNotFound: it belongs to another route, or contains a slash or a control character.
    """
    path_segment(value[:1])
    path_segment(value.replace("+", ""))
    return value
