"""Addresses of upstreams."""

from __future__ import annotations

import re
from typing import Any

from wheelgate.errors import BadInput


def parse_mirror_url(value: Any) -> str:
    """Read the address of an upstream's simple index."""
    if not isinstance(value, str) or not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        raise BadInput("'mirror_url' option must be a URL.")
    return value


def default_upstream() -> tuple[str, str]:
    """Return the public index's simple index, and the form of its projects' pages."""
    # Costs 0.3 s and 30 MB, and is needed once in the life of a server.
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    simple = str(PYPI_SIMPLE_ENDPOINT)
    return simple, simple.removesuffix("simple/") + "project/{name}/"
