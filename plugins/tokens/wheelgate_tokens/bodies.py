"""Reads the body of a request for a new token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from wheelgate.errors import BadInput
from wheelgate.fields import excerpt
from wheelgate.names import did_you_mean
from wheelgate.packages import parse_project_name
from wheelgate.values import MAX_NAME_CHARS
from wheelgate_tokens.caveats import MAX_CAVEAT_ENTRIES, SCOPES, Caveat, is_list_of_text

DEFAULT_TOKEN_LIFETIME_SECONDS = 90 * 86400
MAX_COMMENT_CHARS = 200
PROJECT_KEYS = ("projects", "read_projects", "change_projects")

ENTRIES_SCHEMA = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MAX_CAVEAT_ENTRIES}
TOKEN_REQUEST_SCHEMA = {
    "type": "object",
    "properties": {
        "scopes": {**ENTRIES_SCHEMA, "items": {"type": "string", "enum": [*SCOPES]}},
        "indices": ENTRIES_SCHEMA,
        "projects": ENTRIES_SCHEMA,
        "read_projects": ENTRIES_SCHEMA,
        "change_projects": ENTRIES_SCHEMA,
        "expires_in": {"type": "integer", "minimum": 1},
        "comment": {"type": "string", "maxLength": MAX_COMMENT_CHARS},
    },
    "required": ["scopes"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The token that a request asks for."""

    caveat: Caveat
    lifetime: int
    """In seconds."""
    comment: str


def read_token_request(body: Any, max_lifetime: int) -> TokenRequest:
    """Read the body; ``max_lifetime`` is the longest time that a token may last, in seconds.

    Raises:
        BadInput: a key is missing or unknown, or has a wrong value.
    """
    if not isinstance(body, dict):
        raise BadInput(f"the body must be a JSON object, not {excerpt(body)}")
    unknown = sorted(set(body) - set(TOKEN_REQUEST_SCHEMA["properties"]))  # type: ignore[call-overload]
    if unknown:
        near = did_you_mean(unknown[0], TOKEN_REQUEST_SCHEMA["properties"])  # type: ignore[arg-type]
        raise BadInput(f"unknown keys: {', '.join(unknown)[:200]}{near}")
    if "scopes" not in body:
        raise BadInput(f"'scopes' is missing: a list of {', '.join(SCOPES)}")
    projects, read_projects, change_projects = (
        read_entries(body, key, partial(read_project_name, key)) for key in PROJECT_KEYS
    )
    caveat = Caveat(
        read_entries(body, "scopes", check_scope),
        read_entries(body, "indices", read_index_path),
        projects,
        read_projects,
        change_projects,
    )
    lifetime = body.get("expires_in", min(DEFAULT_TOKEN_LIFETIME_SECONDS, max_lifetime))
    if not isinstance(lifetime, int) or isinstance(lifetime, bool) or not 1 <= lifetime <= max_lifetime:
        raise BadInput(
            f"'expires_in' must be a number of seconds from 1 to {max_lifetime}, the longest time that a token may "
            f"last here (--token-longest-lifetime), not {excerpt(lifetime)}"
        )
    comment = body.get("comment", "")
    if not isinstance(comment, str) or len(comment) > MAX_COMMENT_CHARS or not comment.isprintable():
        raise BadInput(f"'comment' must be one line of at most {MAX_COMMENT_CHARS} characters, not {excerpt(comment)}")
    return TokenRequest(caveat, lifetime, comment)


def read_entries(body: dict[str, Any], key: str, parse: Callable[[str], str]) -> frozenset[str] | None:
    """Read a list that must not be empty; None if the body has no such key."""
    if key not in body:
        return None
    value = body[key]
    if not is_list_of_text(value) or not value:
        raise BadInput(f"'{key}' must be a list of 1 to {MAX_CAVEAT_ENTRIES} strings, not {excerpt(value)}")
    return frozenset(map(parse, value))


def check_scope(text: str) -> str:
    """Return the name of a scope. Raise ``BadInput`` if there is no such scope."""
    if text not in SCOPES:
        raise BadInput(f"there is no scope {excerpt(text)}; the scopes are {', '.join(SCOPES)}")
    return text


def read_index_path(text: str) -> str:
    """Read the path of an index. The index need not exist, so that the answer does not reveal which indices do."""
    path = text.strip("/")
    owner, _, name = path.partition("/")
    named = all(1 <= len(part) <= MAX_NAME_CHARS and part.isprintable() for part in (owner, name))
    if not named or "/" in name:
        raise BadInput(f"'indices' must contain paths such as team/prod, not {excerpt(text)}")
    return path


def read_project_name(key: str, text: str) -> str:
    """Read and normalise the name of a project in the list ``key``."""
    try:
        return parse_project_name(text)
    except ValueError:
        raise BadInput(f"'{key}' must contain names of projects, not {excerpt(text)}") from None
