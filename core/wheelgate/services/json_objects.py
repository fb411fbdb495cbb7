"""Checks that JSON documents share."""

from __future__ import annotations

from typing import Any

import orjson

from wheelgate.errors import BadInput
from wheelgate.fields import excerpt


def read_object(body: Any) -> dict[str, Any]:
    """Return the body. Raise ``BadInput`` if it is not a JSON object."""
    if not isinstance(body, dict):
        raise BadInput(f"the body must be a JSON object, not {excerpt(body)}")
    return body


def json_bytes(value: Any) -> int:
    """Return the length of a value as JSON."""
    return len(orjson.dumps(value, default=dict))
