"""Caveats: the scopes, indices, projects and time that a token is limited to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from wheelgate import Restriction
from wheelgate.values import READ_PERMISSIONS
from wheelgate_tokens import chain

SCOPES = {
    "read": READ_PERMISSIONS,
    "upload": frozenset({"upload", "toxresult_upload"}),
    "yank": frozenset({"release_modify"}),
    "delete": frozenset({"release_delete"}),
}
"""The permissions of each scope."""
LIST_KEYS = ("scopes", "indices", "projects", "read_projects", "change_projects")
CAVEAT_KEYS = frozenset({*LIST_KEYS, "expires"})
MAX_CAVEAT_ENTRIES = 100
"""Entries in one list of a caveat."""


@dataclass(frozen=True, slots=True)
class Caveat:
    """One limit on a token; None means no limit on that."""

    scopes: frozenset[str] | None = None
    indices: frozenset[str] | None = None
    projects: frozenset[str] | None = None
    """Projects to read and to change."""
    read_projects: frozenset[str] | None = None
    change_projects: frozenset[str] | None = None
    expires: int | None = None
    """Seconds since 1970."""

    def encode(self) -> str:
        """Return the caveat in the encoding of the token."""
        limits: dict[str, Any] = {}
        for key in LIST_KEYS:
            value = getattr(self, key)
            if value is not None:
                limits[key] = sorted(value)
        if self.expires is not None:
            limits["expires"] = self.expires
        return chain.encode_base64(json.dumps(limits, separators=(",", ":")).encode())


def decode_caveat(encoded: str) -> Caveat | None:
    """Decode a caveat; None if this server does not understand it, and therefore cannot enforce it."""
    try:
        limits = json.loads(chain.decode_base64(encoded))
    except (ValueError, RecursionError):
        return None
    if not isinstance(limits, dict) or set(limits) - CAVEAT_KEYS:
        return None
    expires = limits.get("expires")
    if "expires" in limits and (not isinstance(expires, int) or isinstance(expires, bool)):
        return None
    lists = {key: limits[key] for key in LIST_KEYS if key in limits}
    if not all(is_list_of_text(value) for value in lists.values()):
        return None
    return Caveat(**{key: frozenset(value) for key, value in lists.items()}, expires=expires)


def is_list_of_text(value: Any) -> bool:
    """Whether a value is a list of at most ``MAX_CAVEAT_ENTRIES`` strings without control characters."""
    if not isinstance(value, list) or len(value) > MAX_CAVEAT_ENTRIES:
        return False
    return all(isinstance(entry, str) and entry.isprintable() for entry in value)


def combine(caveats: Iterable[Caveat]) -> Caveat:
    """Return the caveat that allows only what all of them allow."""
    combined = Caveat(scopes=frozenset(SCOPES))
    for caveat in caveats:
        combined = Caveat(
            **{key: intersection(getattr(combined, key), getattr(caveat, key)) for key in LIST_KEYS},
            expires=min((time for time in (combined.expires, caveat.expires) if time is not None), default=None),
        )
    return combined


def intersection(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """Return the entries in both; None stands for all entries."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def to_restriction(caveat: Caveat) -> Restriction:
    """Return the restriction that the core enforces for a token."""
    scopes: Sequence[str] = sorted(caveat.scopes or ())
    permissions = frozenset[str]().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))
    return Restriction(permissions, caveat.indices, caveat.projects, caveat.read_projects, caveat.change_projects)
