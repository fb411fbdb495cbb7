"""How values are written into columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import orjson


def to_json(value: Any) -> str | None:
    """Write JSON; None is no value at all."""
    return None if value is None else orjson.dumps(value).decode()


def to_seconds(moment: datetime | None) -> int | None:
    """Write a moment as whole seconds since 1970."""
    return None if moment is None else int(moment.timestamp())


def to_text(text: str | None) -> str | None:
    """Write text as it is."""
    return text


USER: Mapping[str, Callable[[Any], Any]] = {
    "name": to_text,
    "stamp": to_text,
    "created": to_seconds,
    "modified": to_seconds,
    "email": to_text,
    "title": to_text,
    "description": to_text,
    "custom_data": to_json,
    "provider": to_text,
}
"""The fields of a user, which are columns too, and how each is written."""


def user_columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Write fields of a user. Raises ``KeyError`` for what is no field, so that no name from outside gets into SQL."""
    return {name: USER[name](value) for name, value in fields.items()}
