"""The bodies of requests that yank a version, or set the status of a project."""

from __future__ import annotations

from typing import Any

from wheelgate.errors import BadInput
from wheelgate.fields import excerpt
from wheelgate.packages import STATUSES
from wheelgate.services.json_objects import read_object

MAX_YANK_OR_STATUS_REASON_CHARS = 1000
"""Characters of the reason for a yank (PEP 592) or a status (PEP 792)."""


def read_yank(body: Any) -> str | None:
    """Return the reason of a yank, which may be empty; None if the request undoes a yank."""
    given = read_keys(body, "yanked")
    if not isinstance(given.get("yanked"), bool):
        raise BadInput(f"'yanked' must be true or false, not {excerpt(given.get('yanked'))}")
    reason = read_reason(given)
    return reason if given["yanked"] else None


def read_status(body: Any) -> tuple[str, str]:
    """Return the status that a request gives a project, and the reason."""
    given = read_keys(body, "status")
    status = given.get("status")
    if status not in STATUSES:
        raise BadInput(f"'status' must be one of {', '.join(STATUSES)}, not {excerpt(status)}")
    return str(status), read_reason(given)


def read_keys(body: Any, key: str) -> dict[str, Any]:
    """Return the body. Raise ``BadInput`` if it is not an object, or has other keys than this one and ``reason``."""
    given = read_object(body)
    unknown = sorted(set(given) - {key, "reason"})
    if unknown:
        raise BadInput(f"unknown keys: {', '.join(unknown)[:200]}; the body contains '{key}' and optionally 'reason'")
    return given


def read_reason(given: dict[str, Any]) -> str:
    """Return the reason. Raise ``BadInput`` if it is not one line of limited length."""
    reason = given.get("reason", "")
    if not isinstance(reason, str) or len(reason) > MAX_YANK_OR_STATUS_REASON_CHARS or not reason.isprintable():
        raise BadInput(f"'reason' must be one line of text with at most {MAX_YANK_OR_STATUS_REASON_CHARS} characters")
    return reason.strip()
