"""Converts values for the columns of the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import orjson


def to_json(value: Any) -> str | None:
    """Return a value as JSON; None stays None."""
    return None if value is None else orjson.dumps(value).decode()


def to_seconds(time: datetime | None) -> int | None:
    """Return a time as whole seconds since 1970."""
    return None if time is None else int(time.timestamp())


def to_text(text: str | None) -> str | None:
    """Return text unchanged."""
    return text


USER_COLUMN_WRITERS: Mapping[str, Callable[[Any], Any]] = {
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
"""The fields of a user, which are also the columns, and how each value is converted."""


def user_columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Convert fields of a user. Raise ``KeyError`` for an unknown field, so that no name from outside gets into SQL."""
    return {name: USER_COLUMN_WRITERS[name](value) for name, value in fields.items()}
