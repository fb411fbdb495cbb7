"""What a request wants to mark: a version as yanked, a project as archived and so on."""

from __future__ import annotations

from typing import Any

from wheelgate.errors import BadInput
from wheelgate.fields import shown
from wheelgate.packages import STATUSES
from wheelgate.services.indices import read_object

LONGEST_REASON = 1000


def read_yank(body: Any) -> str | None:
    """Read the body of a request that yanks; return the reason, which may be empty, or None to take it back."""
    given = read_known(body, "yanked")
    if not isinstance(given.get("yanked"), bool):
        raise BadInput(f"'yanked' must be true or false, not {shown(given.get('yanked'))}")
    reason = read_reason(given)
    return reason if given["yanked"] else None


def read_status(body: Any) -> tuple[str, str]:
    """Read the body of a request that sets the status of a project; return it with the reason."""
    given = read_known(body, "status")
    status = given.get("status")
    if status not in STATUSES:
        raise BadInput(f"'status' must be one of {', '.join(STATUSES)}, not {shown(status)}")
    return str(status), read_reason(given)


def read_known(body: Any, key: str) -> dict[str, Any]:
    """Return an object that has no keys but this one and ``reason``."""
    given = read_object(body)
    unknown = sorted(set(given) - {key, "reason"})
    if unknown:
        raise BadInput(f"unknown keys: {', '.join(unknown)[:200]}; the body holds '{key}' and perhaps 'reason'")
    return given


def read_reason(given: dict[str, Any]) -> str:
    """Return the reason: one line."""
    reason = given.get("reason", "")
    if not isinstance(reason, str) or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise BadInput(f"'reason' must be one line of text with at most {LONGEST_REASON} characters")
    return reason.strip()
