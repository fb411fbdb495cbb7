"""Names of projects (PEP 503 and PEP 508)."""

from __future__ import annotations

import re

MAX_PROJECT_NAME_CHARS = 200
"""Characters of a project's name. Together with the version it has to fit into a file name."""

PROJECT_NAME_PATTERN = re.compile(rf"(?=.{{1,{MAX_PROJECT_NAME_CHARS}}}\Z)[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
NAME_SEPARATORS = re.compile(r"[-_.]+")


def normalize(name: str) -> str:
    """Return the normalised name of a project (PEP 503)."""
    return NAME_SEPARATORS.sub("-", name).lower()


def is_project_name(text: str) -> bool:
    """Return whether :func:`parse_project_name` accepts ``text``."""
    return PROJECT_NAME_PATTERN.fullmatch(text) is not None


def parse_project_name(text: str) -> str:
    """Return the normalised name of the project that ``text`` names.

    Raises:
        ValueError: no project can have this name. A name has 1 to :data:`MAX_PROJECT_NAME_CHARS` ASCII letters,
            digits, ``-``, ``_`` and ``.``, and begins and ends with a letter or digit.
    """
    if not is_project_name(text):
        raise ValueError("not a project's name")
    return normalize(text)
