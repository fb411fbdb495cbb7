"""Addresses of upstreams."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from wheelgate.errors import BadInput


def parse_mirror_url(value: Any) -> str:
    """Read the address of an upstream's simple index; it may hold a name and a password, percent-encoded."""
    if not isinstance(value, str) or not _is_address(value):
        raise BadInput("'mirror_url' option must be a URL.")
    return value


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        # To read the port checks it.
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and text.isprintable()
            and " " not in text
        )
    except ValueError:
        return False


def default_upstream() -> tuple[str, str]:
    """Return the public index's simple index, and the form of its projects' pages."""
    # Costs 0.3 s and 30 MB, and is needed once in the life of a server.
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    simple = str(PYPI_SIMPLE_ENDPOINT)
    return simple, simple.removesuffix("simple/") + "project/{name}/"
