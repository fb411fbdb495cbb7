"""JSON values from a server: as objects, and as text for the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    JsonObject = dict[str, Any]


def format_value(value: object) -> str:
    """Return a value as a user would type it: lists with commas, strings as they are."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict) else str(value)


def setting_lines(config: Mapping[str, object], *, first: Sequence[str] = (), without: Sequence[str] = ()) -> list[str]:
    """Return one indented ``key=value`` line for each setting: those in ``first``, then the others sorted by key."""
    keys = [*(key for key in first if key in config), *sorted(config.keys() - {*first, *without})]
    return [f"  {key}={format_value(config[key])}" for key in keys]


def objects_by_name(value: object) -> dict[str, JsonObject]:
    """Return the objects in a JSON object by their names, and skip everything else that a server may send."""
    if not isinstance(value, dict):
        return {}
    return {name: item for name, item in value.items() if isinstance(item, dict)}
