"""Values of a state file: TOML has dates, and JSON has null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wheelgate.errors import BadInput
from wheelgate.state_sections import entry_label

NUMBER_LIMIT = 2**63
"""Numbers are less than this, and at least its negative, as in the bodies of requests."""
MAX_DEPTH = 32
"""Levels of nesting, as in the bodies of requests."""


def refuse_other_values(section: str, table: Mapping[str, Any]) -> None:
    """Raise ``BadInput`` if a table has a value that the API would not take: it checks the bodies of requests so."""
    for name, entry in table.items():
        for key, value in entry.items() if isinstance(entry, dict) else ():
            refuse_other_value(key, f"{entry_label(section, name)}: a key")
            refuse_other_value(value, f"{entry_label(section, name)}: {key}")
        if not isinstance(entry, dict):
            refuse_other_value(entry, f"[{section}]: {name}")


def refuse_other_value(value: Any, label: str, depth: int = 0) -> None:
    """Raise ``BadInput`` if JSON has no such value, or readers of it could understand it differently."""
    if depth > MAX_DEPTH:
        raise BadInput(f"{label} is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for key, each in value.items():
            refuse_other_value(key, label, depth)
            refuse_other_value(each, label, depth + 1)
    elif isinstance(value, list):
        for each in value:
            refuse_other_value(each, label, depth + 1)
    elif isinstance(value, str):
        if "\0" in value:
            raise BadInput(f"{label} contains a character that is not valid in text (NUL)")
    elif not isinstance(value, int | float):
        raise BadInput(f"{label} must be text, a number, true, false, a list or a table, not a date or a time")
    elif not -NUMBER_LIMIT <= value < NUMBER_LIMIT:  # nor what is no number
        raise BadInput(f"{label} contains a number outside the range of 64 bits")


def has_toml_form(value: Any) -> bool:
    """Return whether TOML can hold a JSON value."""
    if isinstance(value, Mapping):
        return all(map(has_toml_form, value.values()))
    if isinstance(value, list | tuple):
        return all(map(has_toml_form, value))
    if isinstance(value, int):
        return -NUMBER_LIMIT <= value < NUMBER_LIMIT
    return value is not None
