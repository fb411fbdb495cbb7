"""The keys of an index's configuration: how each is read from a request, and what it is if nobody sets it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wheelgate.errors import BadInput
from wheelgate.packages import PackageSource
from wheelgate.values import ANONYMOUS, AUTHENTICATED, empty_mapping

TRUE = frozenset({"true", "yes"})
FALSE = frozenset({"false", "no"})


@dataclass(frozen=True, slots=True)
class Field:
    """One key of an index type."""

    name: str
    parse: Callable[[Any], Any]
    """Turns what the request holds into what is stored. Raises ``BadInput``."""
    schema: Mapping[str, Any] = field(default_factory=empty_mapping)
    """Its JSON Schema, for the OpenAPI document."""
    default: Callable[[str], Any] | None = None
    """Makes the value for a new index from its owner's name; None leaves the key out."""
    many: bool = False
    """A list: ``key+=value`` and ``key-=value`` work on it."""
    refers_to: str = ""
    """``principals`` or ``indices``: entries must exist when they are set, and die with what they name."""


@dataclass(frozen=True, slots=True)
class IndexType:
    """A kind of index that a plugin brings."""

    name: str
    fields: tuple[Field, ...]
    takes_uploads: bool
    dropped: frozenset[str] = field(default=frozenset())
    """Keys of other types that clients send along; they are ignored without a word."""
    packages: PackageSource | None = None
    """Where its packages come from: a :class:`~wheelgate.packages.PackageTarget` if it takes uploads."""

    def field(self, name: str) -> Field | None:
        """Return the field of that name."""
        return next((known for known in self.fields if known.name == name), None)


def parse_bool(value: Any) -> bool:
    """Read a boolean, or one of the words true, yes, false, no."""
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else ""
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise BadInput(f"Unknown boolean value {excerpt(value)}.")


def parse_list(value: Any) -> list[str]:
    """Read a list of strings, or one string with commas; items are trimmed and empty ones dropped."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise BadInput(f"Unknown list value {excerpt(value)}.")
    return [item.strip() for item in items if item.strip()]


def parse_principals(value: Any) -> list[str]:
    """Read a list of user names, ``:groups`` and the two special names, whose case does not matter."""
    special = {ANONYMOUS.lower(): ANONYMOUS, AUTHENTICATED.lower(): AUTHENTICATED}
    return [special.get(item.lower(), item) for item in parse_list(value)]


def parse_bases(value: Any) -> list[str]:
    """Read a list of ``user/index`` paths."""
    paths = [item.strip("/") for item in parse_list(value)]
    wrong = [path for path in paths if path and path.count("/") != 1]
    if wrong:
        raise BadInput(", ".join(f"invalid base index spec: '{path}'" for path in wrong))
    return [path for path in paths if path]


def parse_projects(value: Any) -> list[str]:
    """Read a list of project names, normalised after PEP 503; ``*`` stands for all."""
    return [item if item == "*" else re.sub(r"[-_.]+", "-", item).lower() for item in parse_list(value)]


def parse_text(name: str) -> Callable[[Any], str]:
    """Make a reader of text."""

    def parse(value: Any) -> str:
        if not isinstance(value, str):
            raise BadInput(f"'{name}' must be text, not {excerpt(value)}")
        return value

    return parse


def parse_json(name: str) -> Callable[[Any], Any]:
    """Make a reader of any JSON value but null."""

    def parse(value: Any) -> Any:
        if value is None:
            raise BadInput(f"'{name}' must not be null; to take it out, remove the key")
        return value

    return parse


def parse_choice(name: str, choices: tuple[str, ...]) -> Callable[[Any], str]:
    """Make a reader of one of several words, whose case does not matter."""
    expected = " or ".join(f"'{choice}'" for choice in choices)

    def parse(value: Any) -> str:
        word = value.lower() if isinstance(value, str) else None
        if word not in choices:
            raise BadInput(f"Unknown value {excerpt(value)} for {name}, must be {expected}.")
        return str(word)

    return parse


def parse_int(name: str, low: int, high: int) -> Callable[[Any], int]:
    """Make a reader of a whole number from ``low`` to ``high``, also as text."""

    def parse(value: Any) -> int:
        try:
            number = None if isinstance(value, bool) or value is None else int(value)
        except (TypeError, ValueError, OverflowError):
            number = None
        if number is None or not low <= number <= high:
            raise BadInput(f"'{name}' option must be an integer from {low} to {high}, not {excerpt(value)}")
        return number

    return parse


def same_json(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; to Python, 1 and true are equal too."""
    return one == other and json.dumps(one, sort_keys=True, default=dict) == json.dumps(
        other, sort_keys=True, default=dict
    )


def excerpt(value: Any) -> str:
    """Show a value in a sentence, cut to a length that fits one."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
