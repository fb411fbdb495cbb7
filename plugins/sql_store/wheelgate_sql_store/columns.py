"""How values are written into columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from unicodedata import normalize

import orjson


def fold(name: str) -> str:
    """Return what look-alike names have in common: NFKC and case folding (Unicode, section 3.13, D145)."""
    return normalize("NFKC", normalize("NFKC", name).casefold())


def to_json(value: Any) -> str | None:
    """Write JSON; None is no value at all."""
    return None if value is None else orjson.dumps(value).decode()


def to_seconds(moment: datetime | None) -> int | None:
    """Write a moment as whole seconds since 1970."""
    return None if moment is None else int(moment.timestamp())


def to_columns(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Write fields of a user into the columns of the same names."""
    writers = {"custom_data": to_json, "created": to_seconds, "modified": to_seconds}
    return {name: writers[name](value) if name in writers else value for name, value in changes.items()}
