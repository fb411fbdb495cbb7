"""A group, and the bodies of requests that create or change one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wheelgate.errors import BadInput
from wheelgate.fields import MAX_LINE_CHARS, EditedList, check_operations, excerpt, parse_list, parse_text

GROUP_FIELDS: Mapping[str, Callable[[Any], Any]] = {"members": parse_list, "title": parse_text("title", MAX_LINE_CHARS)}
"""The fields that requests can set, and how each value is read."""

STRINGS_SCHEMA = {"type": "array", "items": {"type": "string"}}
GROUP_SCHEMA = {
    "type": "object",
    "properties": {"members": STRINGS_SCHEMA, "title": {"type": "string"}},
    "additionalProperties": False,
}
GROUP_CHANGE_SCHEMA = {"oneOf": [GROUP_SCHEMA, STRINGS_SCHEMA]}


@dataclass(frozen=True, slots=True)
class Group:
    """A group as it is stored."""

    name: str
    members: tuple[str, ...] = ()
    """Users and ``:groups``, sorted."""
    title: str = ""

    @property
    def principal(self) -> str:
        """The name of the group in access lists."""
        return f":{self.name}"

    @property
    def groups(self) -> list[str]:
        """The names of the members that are groups."""
        return [member[1:] for member in self.members if member.startswith(":")]

    @property
    def config(self) -> dict[str, Any]:
        """The group as answers contain it."""
        return {"members": list(self.members), **({"title": self.title} if self.title else {})}


def apply_body(group: Group, body: Any) -> Group:
    """Return a group changed by a request's body: an object with new values, or operations such as ``members+=bob``.

    Raises:
        BadInput: the body has another form, or removes a member that the group does not have.
    """
    values: dict[str, Any] = {"members": list(group.members), "title": group.title}
    if isinstance(body, list):
        check_operations(body)
        edited: dict[str, Any] = {"members": EditedList(group.members), "title": group.title}
        for operation in body:
            _apply_operation(edited, operation)
        values = {"members": edited["members"].result(), "title": edited["title"]}
    elif isinstance(body, dict):
        unknown = sorted(set(body) - set(GROUP_FIELDS))
        if unknown:
            raise BadInput(
                f"a group has no {', '.join(map(excerpt, unknown))[:200]}, only {' and '.join(GROUP_FIELDS)}"
            )
        values |= {key: GROUP_FIELDS[key](value) for key, value in body.items()}
    else:
        raise BadInput(f"the body must be a JSON object or a list of operations, not {excerpt(body)}")
    return Group(group.name, tuple(sorted(set(values["members"]))), values["title"])


def _apply_operation(values: dict[str, Any], operation: Any) -> None:
    """Apply ``key=value``, ``members+=names`` or ``members-=names``; ``key-=`` empties it."""
    key, equals, value = operation.partition("=") if isinstance(operation, str) else ("", "", "")
    sign = key[-1:] if key[-1:] in ("+", "-") else ""
    key = key.removesuffix(sign)
    if not equals or key not in GROUP_FIELDS:
        raise BadInput(f"an operation must look like 'members+=bob' or 'title=Developers', not {excerpt(operation)}")
    members: EditedList = values["members"]
    if not sign or (sign == "-" and not value):
        given = GROUP_FIELDS[key](value)
        values[key] = EditedList(given) if key == "members" else given
    elif key != "members":
        raise BadInput(f"'{key}' holds one value: use {key}=VALUE instead of {key}{sign}=VALUE")
    elif sign == "+":
        members.add(parse_list(value))
    else:
        members.remove(parse_list(value), lambda name: BadInput(f"the group has no member {excerpt(name)}"))
