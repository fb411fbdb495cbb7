"""Checks that all JSON bodies of requests share."""

from __future__ import annotations

from typing import Any

from wheelgate.errors import BadInput
from wheelgate.fields import excerpt


def read_object(body: Any) -> dict[str, Any]:
    """Return the body. Raise ``BadInput`` if it is not a JSON object."""
    if not isinstance(body, dict):
        raise BadInput(f"the body must be a JSON object, not {excerpt(body)}")
    return body
