"""How the values of a configuration are shown on the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def shown(value: object) -> str:
    """Return a value as one would type it: lists with commas, texts as they are."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict) else str(value)


def lines(config: Mapping[str, object], *, first: Sequence[str] = (), without: Sequence[str] = ()) -> list[str]:
    """Return one indented ``key=value`` line for each setting: those in ``first``, then the others by name."""
    keys = [*(key for key in first if key in config), *sorted(config.keys() - {*first, *without})]
    return [f"  {key}={shown(config[key])}" for key in keys]


def objects(value: object) -> dict[str, dict[str, Any]]:
    """Return the objects in a JSON object by their names; a server may have put anything there."""
    if not isinstance(value, dict):
        return {}
    return {name: item for name, item in value.items() if isinstance(item, dict)}
