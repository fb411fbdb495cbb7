"""Values of a state file: TOML has dates, and JSON has null."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from wheelgate.errors import BadInput

MAX_TOML_INTEGER = 2**63 - 1
"""The largest integer that every reader of TOML knows (TOML 1.0)."""


def json_value(value: Any, label: str) -> Any:
    """Return a value of the file. Raise ``BadInput`` if JSON has no such value."""
    if isinstance(value, dict):
        return {key: json_value(each, label) for key, each in value.items()}
    if isinstance(value, list):
        return [json_value(each, label) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInput(f"{label} must be a number that JSON has")
    if not isinstance(value, str | int | float):
        raise BadInput(f"{label} must be text, a number, true, false, a list or a table, not a date or a time")
    return value


def has_toml_form(value: Any) -> bool:
    """Return whether TOML can hold a JSON value."""
    if isinstance(value, Mapping):
        return all(map(has_toml_form, value.values()))
    if isinstance(value, list | tuple):
        return all(map(has_toml_form, value))
    if isinstance(value, int):
        return abs(value) <= MAX_TOML_INTEGER
    return value is not None
