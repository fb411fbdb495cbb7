"""What a request for a new token may say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wheelgate.errors import BadInput
from wheelgate.fields import excerpt
from wheelgate.packages import parse_project_name
from wheelgate.values import MAX_NAME_CHARS
from wheelgate_tokens.caveats import MOST, SCOPES, Caveat, is_list_of_text

USUAL_LIFETIME = 90 * 86400
LONGEST_COMMENT = 200

TEXTS = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST}
SCHEMA = {
    "type": "object",
    "properties": {
        "scopes": {**TEXTS, "items": {"type": "string", "enum": [*SCOPES]}},
        "indices": TEXTS,
        "projects": TEXTS,
        "expires_in": {"type": "integer", "minimum": 1},
        "comment": {"type": "string", "maxLength": LONGEST_COMMENT},
    },
    "required": ["scopes"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token that somebody wants."""

    caveat: Caveat
    lifetime: int
    """Seconds."""
    comment: str


def read(body: Any, longest: int) -> Wanted:
    """Read the body; ``longest`` is how long a token may last, in seconds.

    Raises:
        BadInput: a key is missing, unknown, or not what it should be.
    """
    if not isinstance(body, dict):
        raise BadInput(f"the body must be a JSON object, not {excerpt(body)}")
    unknown = sorted(set(body) - set(SCHEMA["properties"]))  # type: ignore[call-overload]
    if unknown:
        raise BadInput(f"unknown keys: {', '.join(unknown)[:200]}")
    if "scopes" not in body:
        raise BadInput(f"'scopes' is missing: a list of {', '.join(SCOPES)}")
    caveat = Caveat(entries(body, "scopes", scope), entries(body, "indices", index), entries(body, "projects", project))
    lifetime = body.get("expires_in", min(USUAL_LIFETIME, longest))
    if not isinstance(lifetime, int) or isinstance(lifetime, bool) or not 1 <= lifetime <= longest:
        raise BadInput(
            f"'expires_in' must be a number of seconds from 1 to {longest}, which is the longest that a token may last "
            f"here (--token-longest-lifetime), not {excerpt(lifetime)}"
        )
    comment = body.get("comment", "")
    if not isinstance(comment, str) or len(comment) > LONGEST_COMMENT or not comment.isprintable():
        raise BadInput(f"'comment' must be one line of at most {LONGEST_COMMENT} characters, not {excerpt(comment)}")
    return Wanted(caveat, lifetime, comment)


def entries(body: dict[str, Any], key: str, parse: Callable[[str], str]) -> frozenset[str] | None:
    """Read a list that is not empty; None if the body has none."""
    if key not in body:
        return None
    value = body[key]
    if not is_list_of_text(value) or not value:
        raise BadInput(f"'{key}' must be a list of 1 to {MOST} texts, not {excerpt(value)}")
    return frozenset(map(parse, value))


def scope(text: str) -> str:
    """Check a scope."""
    if text not in SCOPES:
        raise BadInput(f"there is no scope {excerpt(text)}; there are {', '.join(SCOPES)}")
    return text


def index(text: str) -> str:
    """Check the path of an index; there need be none, so that nobody learns which there are."""
    path = text.strip("/")
    owner, _, name = path.partition("/")
    named = all(1 <= len(part) <= MAX_NAME_CHARS and part.isprintable() for part in (owner, name))
    if not named or "/" in name:
        raise BadInput(f"'indices' must hold paths such as team/prod, not {excerpt(text)}")
    return path


def project(text: str) -> str:
    """Check and normalise the name of a project."""
    try:
        return parse_project_name(text)
    except ValueError:
        raise BadInput(f"'projects' must hold names of projects, not {excerpt(text)}") from None
