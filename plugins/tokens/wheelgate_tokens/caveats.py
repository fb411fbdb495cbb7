"""What a caveat says: the scopes, the indices, the projects and the time that a token is narrowed to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from wheelgate import Restriction
from wheelgate_tokens import chain

SCOPES = {
    "read": frozenset({"index_read", "user_read", "user_list"}),
    "upload": frozenset({"upload", "toxresult_upload"}),
    "yank": frozenset({"release_modify"}),
    "delete": frozenset({"release_delete"}),
}
"""The permissions of each scope."""
KEYS = frozenset({"scopes", "indices", "projects", "expires"})
MOST = 100
"""Entries of a list."""


@dataclass(frozen=True, slots=True)
class Caveat:
    """One narrowing; None leaves a thing as wide as it was."""

    scopes: frozenset[str] | None = None
    indices: frozenset[str] | None = None
    projects: frozenset[str] | None = None
    expires: int | None = None
    """Seconds since 1970."""

    def written(self) -> str:
        """Return the form in which it stands in a token."""
        said: dict[str, Any] = {}
        for key in ("scopes", "indices", "projects"):
            value = getattr(self, key)
            if value is not None:
                said[key] = sorted(value)
        if self.expires is not None:
            said["expires"] = self.expires
        return chain.text(json.dumps(said, separators=(",", ":")).encode())


def read(written: str) -> Caveat | None:
    """Read a caveat from a token; None if it says what this server does not understand, and so cannot hold."""
    try:
        said = json.loads(chain.data(written))
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or set(said) - KEYS:
        return None
    expires = said.get("expires")
    if "expires" in said and (not isinstance(expires, int) or isinstance(expires, bool)):
        return None
    lists = {key: said[key] for key in ("scopes", "indices", "projects") if key in said}
    if not all(is_list_of_text(value) for value in lists.values()):
        return None
    return Caveat(**{key: frozenset(value) for key, value in lists.items()}, expires=expires)


def is_list_of_text(value: Any) -> bool:
    """Whether a value is a list of not too many texts that can be shown in a sentence."""
    if not isinstance(value, list) or len(value) > MOST:
        return False
    return all(isinstance(entry, str) and entry.isprintable() for entry in value)


def together(caveats: Iterable[Caveat]) -> Caveat:
    """Return what is left when each of them holds."""
    left = Caveat(scopes=frozenset(SCOPES))
    for caveat in caveats:
        left = Caveat(
            common(left.scopes, caveat.scopes),
            common(left.indices, caveat.indices),
            common(left.projects, caveat.projects),
            min((time for time in (left.expires, caveat.expires) if time is not None), default=None),
        )
    return left


def common(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """Return what is in both; None stands for everything."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def restriction(caveat: Caveat) -> Restriction:
    """Return what the core holds a token to."""
    scopes: Sequence[str] = sorted(caveat.scopes or ())
    permissions = frozenset[str]().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))
    return Restriction(permissions, caveat.indices, caveat.projects)
