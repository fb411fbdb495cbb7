"""``Requires-Python`` as installers read it, who are more generous than PEP 440."""

from __future__ import annotations

import re

QUOTES = re.compile("['\"]")
SPACE_AFTER_OPERATOR = re.compile(r"([<>=!~^])\s+")
BETWEEN_CLAUSES = re.compile(r"[,\s]+|(?<=[\w.*])(?=[<>=~^]|!=)")
"""Commas, spaces, or nothing, as in ``>=3.6<4``."""
CLAUSE = re.compile(r"(?:===|!=~|[<>=!~]=|=[<>~]|[<>=~^])?(?:v?\d[\w.*+!-]*|dev)", re.ASCII | re.IGNORECASE)
"""One clause, such as ``>=3.6``, ``>=3.*`` or ``!=3.0*``."""


def is_readable(text: str) -> bool:
    """Return whether at least one installer reads a version from each clause of ``Requires-Python``.

    PEP 440 forbids values that old build tools wrote, such as ``>=3.*``, ``>=3.6,<4.0.*`` or ``>=3.6<4``. pip below
    24.1 compares such versions as text, later ones ignore the value and install the file, and uv repairs it.
    """
    clauses = BETWEEN_CLAUSES.split(SPACE_AFTER_OPERATOR.sub(r"\1", QUOTES.sub("", text)))
    return all(CLAUSE.fullmatch(clause) for clause in clauses if clause)
