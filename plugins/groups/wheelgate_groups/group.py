"""A group, and what a request wants of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wheelgate.errors import BadInput
from wheelgate.fields import excerpt, parse_list, parse_text

KEYS: Mapping[str, Callable[[Any], Any]] = {"members": parse_list, "title": parse_text("title")}
"""What can be set, and how it is read."""

TEXTS = {"type": "array", "items": {"type": "string"}}
SCHEMA = {
    "type": "object",
    "properties": {"members": TEXTS, "title": {"type": "string"}},
    "additionalProperties": False,
}
CHANGE_SCHEMA = {"oneOf": [SCHEMA, TEXTS]}


@dataclass(frozen=True, slots=True)
class Group:
    """A group as the tables hold it."""

    name: str
    members: tuple[str, ...] = ()
    """Users and ``:groups``, sorted."""
    title: str = ""

    @property
    def principal(self) -> str:
        """What access lists call it."""
        return f":{self.name}"

    @property
    def groups(self) -> list[str]:
        """The members that are groups, by their names."""
        return [member[1:] for member in self.members if member.startswith(":")]

    @property
    def config(self) -> dict[str, Any]:
        """What the wire shows."""
        return {"members": list(self.members), **({"title": self.title} if self.title else {})}


def changed(group: Group, body: Any) -> Group:
    """Apply the body of a request: an object with new values, or a list of operations such as ``members+=bob``.

    Raises:
        BadInput: it holds something else, or takes out a member that is none.
    """
    values: dict[str, Any] = {"members": list(group.members), "title": group.title}
    if isinstance(body, list):
        for operation in body:
            _apply(values, operation)
    elif isinstance(body, dict):
        unknown = sorted(set(body) - set(KEYS))
        if unknown:
            raise BadInput(f"a group has no {', '.join(map(excerpt, unknown))[:200]}, only {' and '.join(KEYS)}")
        values |= {key: KEYS[key](value) for key, value in body.items()}
    else:
        raise BadInput(f"the body must be a JSON object or a list of operations, not {excerpt(body)}")
    return Group(group.name, tuple(sorted(set(values["members"]))), values["title"])


def _apply(values: dict[str, Any], operation: Any) -> None:
    """Apply ``key=value``, ``members+=names`` or ``members-=names``; ``key-=`` empties it."""
    key, equals, value = operation.partition("=") if isinstance(operation, str) else ("", "", "")
    sign = key[-1:] if key[-1:] in ("+", "-") else ""
    key = key.removesuffix(sign)
    if not equals or key not in KEYS:
        raise BadInput(
            f"an operation must be one such as 'members+=bob' or 'title=Developers', not {excerpt(operation)}"
        )
    if not sign or (sign == "-" and not value):
        values[key] = KEYS[key](value)
    elif key != "members":
        raise BadInput(f"'{key}' holds one value: use {key}=VALUE instead of {key}{sign}=VALUE")
    elif sign == "+":
        values[key] += parse_list(value)
    else:
        for name in parse_list(value):
            if name not in values[key]:
                raise BadInput(f"the group has no member {excerpt(name)}")
            values[key] = [member for member in values[key] if member != name]
