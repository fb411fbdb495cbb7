"""The keys of an index's configuration: how to parse each from a request, and its default.

Every parser here raises ``BadInput`` if a value is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any

from wheelgate.errors import BadInput
from wheelgate.packages import PackageSource, is_project_name, normalize
from wheelgate.values import ANONYMOUS, AUTHENTICATED, empty_mapping

TRUE_WORDS = frozenset({"true", "yes"})
FALSE_WORDS = frozenset({"false", "no"})
MAX_OPERATIONS = 1000
"""Operations in one request, such as ``key+=value``."""
MAX_LIST_ENTRIES = 5000
"""Entries of one list, and of all operations of a request together."""
MAX_LIST_ENTRY_CHARS = 500
"""Characters of one entry; the longest are names of users, paths of indices and names of projects."""
MAX_BASES = 100
"""Bases of an index. Each request looks at all of them."""
MAX_LINE_CHARS = 1000
"""Characters of a title, an e-mail address or a URL."""
MAX_TEXT_CHARS = 20_000
"""Characters of a description."""
MAX_CUSTOM_DATA_BYTES = 50_000
"""Bytes of any JSON value, encoded."""
MAX_QUOTED_PROBLEMS = 10
"""Problems that one message names."""
MAX_EXCERPT_CHARS = 80
"""Characters of a value that a message quotes."""
MASK = "***"
"""Stands for a secret in a value that an answer shows."""
BOOLEAN_SCHEMA = {"type": "boolean"}
"""The JSON Schema of a key for :func:`parse_bool`."""
STRING_SCHEMA = {"type": "string"}
"""The JSON Schema of a key for :func:`parse_text`."""
STRING_LIST_SCHEMA = {"type": "array", "items": STRING_SCHEMA}
"""The JSON Schema of a key for :func:`parse_list` and the other parsers of lists."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of an index type."""

    name: str
    parse: Callable[[Any], Any]
    """Converts the value in a request into the value to store. Raises ``BadInput`` if it is wrong."""
    schema: Mapping[str, Any] = field(default_factory=empty_mapping)
    """Its JSON Schema, for the OpenAPI document."""
    default: Callable[[str], Any] | None = None
    """Makes the value of a new index from the name of its owner; None leaves out the key."""
    many: bool = False
    """Whether the value is a list, so that ``key+=value`` and ``key-=value`` work."""
    refers_to: str = ""
    """``principals`` or ``indices`` if the entries are names of such; otherwise empty. The server refuses an entry that
    names a user or an index that does not exist, and removes the entry when the principal or index is deleted."""


@dataclass(frozen=True, slots=True)
class IndexType:
    """A type of index that a plugin provides."""

    name: str
    fields: tuple[Field, ...]
    takes_uploads: bool
    dropped: frozenset[str] = field(default=frozenset())
    """Keys of other types, which clients may send and the server ignores."""
    packages: PackageSource | None = None
    """The source of its packages; a :class:`~wheelgate.packages.PackageTarget` if the type takes uploads."""

    def field(self, name: str) -> Field | None:
        """Return the field of that name; None if there is none."""
        return next((known for known in self.fields if known.name == name), None)


def parse_bool(value: Any) -> bool:
    """Parse a boolean, or one of the words true, yes, false and no in any case."""
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else ""
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise BadInput(f"Unknown boolean value {excerpt(value)}.")


def parse_list(value: Any) -> list[str]:
    """Parse a list of strings, or one string with commas; trim the items and drop empty ones."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list):
        raise BadInput(f"Unknown list value {excerpt(value)}.")
    check_length(items)
    if not all(isinstance(item, str) for item in items):
        raise BadInput(f"Unknown list value {excerpt(value)}.")
    if max(map(len, items), default=0) > MAX_LIST_ENTRY_CHARS:
        raise BadInput(f"an entry of a list has at most {MAX_LIST_ENTRY_CHARS} characters; {excerpt(value)} has more")
    return [item.strip() for item in items if item.strip()]


def check_length(entries: Sized) -> None:
    """Raise ``BadInput`` if a list has more entries than the server accepts."""
    if len(entries) > MAX_LIST_ENTRIES:
        raise BadInput(f"a list has at most {MAX_LIST_ENTRIES} entries, not {len(entries)}; send fewer")


def check_operations(operations: Sized) -> None:
    """Raise ``BadInput`` if a request has more operations than the server accepts."""
    if len(operations) > MAX_OPERATIONS:
        raise BadInput(
            f"a request has at most {MAX_OPERATIONS} operations, not {len(operations)}; send the others in a second"
            " request, or the new value as a JSON object"
        )


class EditedList:
    """A list that operations such as ``key+=value`` change: each of its entries once, in order.

    A step takes the same time however long the list is.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._entries = dict.fromkeys(entries)
        self._named = 0
        """Entries that the operations have named so far."""

    def add(self, items: Sequence[str]) -> None:
        """Append the items that the list does not have. Raise ``BadInput`` if there are too many."""
        self._count(items)
        self._entries.update(dict.fromkeys(items))
        check_length(self._entries)

    def remove(self, items: Sequence[str], missing: Callable[[str], BadInput]) -> None:
        """Remove items; raise the error that ``missing`` makes of the first one that the list does not have."""
        self._count(items)
        for item in items:
            if item not in self._entries:
                raise missing(item)
            del self._entries[item]

    def __contains__(self, item: str) -> bool:
        return item in self._entries

    def result(self) -> list[str]:
        """Return the list as it is now."""
        return list(self._entries)

    def _count(self, items: Sequence[str]) -> None:
        self._named += len(items)
        if self._named > MAX_LIST_ENTRIES:
            raise BadInput(
                f"the operations of a request name at most {MAX_LIST_ENTRIES} entries of a list; send the others in a"
                " second request"
            )


def parse_principals(value: Any) -> list[str]:
    """Parse a list of user names, ``:groups`` and the two special names, whose case does not matter."""
    special = {ANONYMOUS.lower(): ANONYMOUS, AUTHENTICATED.lower(): AUTHENTICATED}
    return [special.get(item.lower(), item) for item in parse_list(value)]


def parse_modifiers(value: Any) -> list[str]:
    """Parse a list of principals who may change an index.

    Raises:
        BadInput: it contains ``:ANONYMOUS:``, so that anybody could take the index over.
    """
    principals = parse_principals(value)
    if ANONYMOUS in principals:
        raise BadInput(f"acl_modify cannot contain {ANONYMOUS}: anybody could take the index over")
    return principals


def parse_bases(value: Any) -> list[str]:
    """Parse a list of ``user/index`` paths."""
    paths = [item.strip("/") for item in parse_list(value)]
    check_bases(paths)
    wrong = [path for path in paths if path and path.count("/") != 1]
    if wrong:
        raise BadInput(", ".join(f"invalid base index spec: '{path}'" for path in wrong[:MAX_QUOTED_PROBLEMS]))
    return [path for path in paths if path]


def check_bases(bases: Sized) -> None:
    """Raise ``BadInput`` if an index has more bases than the server accepts."""
    if len(bases) > MAX_BASES:
        raise BadInput(f"an index has at most {MAX_BASES} bases, not {len(bases)}")


def parse_projects(value: Any) -> list[str]:
    """Parse a list of project names, and normalise them (PEP 503); ``*`` stands for all.

    Raises:
        BadInput: no project can have one of the names.
    """
    names = parse_list(value)
    for name in names:
        if name != "*" and not is_project_name(name):
            raise BadInput(
                f"{excerpt(name)} is no project's name; give names without versions or brackets, separated by"
                " commas, or * for all projects"
            )
    return [name if name == "*" else normalize(name) for name in names]


def parse_text(name: str, max_chars: int = MAX_TEXT_CHARS) -> Callable[[Any], str]:
    """Return a parser of text; ``name`` is the key that messages name, ``max_chars`` the longest text."""

    def parse(value: Any) -> str:
        if not isinstance(value, str):
            raise BadInput(f"'{name}' must be text, not {excerpt(value)}")
        if len(value) > max_chars:
            raise BadInput(f"'{name}' has at most {max_chars} characters, not {len(value)}; shorten it")
        return value

    return parse


def parse_json(name: str) -> Callable[[Any], Any]:
    """Return a parser of any JSON value except null; ``name`` is the key that messages name."""

    def parse(value: Any) -> Any:
        if value is None:
            raise BadInput(f"'{name}' must not be null; to delete it, remove the key")
        size = len(json.dumps(value))
        if size > MAX_CUSTOM_DATA_BYTES:
            raise BadInput(f"'{name}' has at most {MAX_CUSTOM_DATA_BYTES} bytes as JSON, not {size}; shorten it")
        return value

    return parse


def parse_choice(name: str, choices: tuple[str, ...]) -> Callable[[Any], str]:
    """Return a parser of one of several words, whose case does not matter."""
    expected = " or ".join(f"'{choice}'" for choice in choices)

    def parse(value: Any) -> str:
        word = value.lower() if isinstance(value, str) else None
        if word not in choices:
            raise BadInput(f"Unknown value {excerpt(value)} for {name}, must be {expected}.")
        return str(word)

    return parse


def parse_int(name: str, low: int, high: int) -> Callable[[Any], int]:
    """Return a parser of a whole number from ``low`` to ``high``, also as text."""

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
    """Return whether two JSON values are the same; Python alone takes 1 and true for equal."""
    return one == other and json.dumps(one, sort_keys=True, default=dict) == json.dumps(
        other, sort_keys=True, default=dict
    )


def excerpt(value: Any) -> str:
    """Return a value as text for a message, cut to 80 characters."""
    text = repr(value)
    return text if len(text) <= MAX_EXCERPT_CHARS else text[: MAX_EXCERPT_CHARS - 3] + "..."
