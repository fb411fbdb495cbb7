"""Edits keys and arrays of tables in the text of a TOML file and leaves every other byte alone.

The ``name`` of a table identifies it in its array.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

import tomlkit
from tomlkit.items import AbstractTable, AoT, Array

from wheelgate_pipconfig import toml_file, urls

KeyPath = tuple[str, ...]
NetrcEntry = Mapping[str, str | bool | None]
"""The values of a table; None removes the key."""


def with_key(text: str, key: str, value: str) -> str:
    """Return the text with the key set at the top level."""
    root, *tables = _segments(text)
    document = tomlkit.parse(root)
    document[key] = value
    return "".join([tomlkit.dumps(document), *tables])


def without_key(text: str, key: str) -> str:
    """Return the text without the key at the top level."""
    root, *tables = _segments(text)
    document = tomlkit.parse(root)
    document.pop(key, None)
    return "".join([tomlkit.dumps(document), *tables])


def with_entry(text: str, path: KeyPath, name: str, entry: NetrcEntry) -> str:
    """Return the text with these values in the table of that name, which keeps its other values."""
    documents = [tomlkit.parse(segment) for segment in _segments(text)]
    for table in [table for document in documents for table in _tables(document, path) if table.get("name") == name]:
        for key, value in entry.items():
            if value is None:
                table.pop(key, None)
            elif table.get(key) != value:
                table[key] = value
    return "".join(map(tomlkit.dumps, documents))


def with_first_entry(text: str, path: KeyPath, name: str, entry: NetrcEntry) -> str:
    """Return the text with a new table of that name before all others in its array."""
    if (grown := _with_inline(text, path, 0, name, entry)) is not None:
        return grown
    root, *tables = _segments(text)
    before = "\n" if root and not root.endswith("\n") else ""
    after = "\n" if tables else ""
    return "".join([root, before, _table(path, name, entry), after, *tables])


def with_last_entry(text: str, path: KeyPath, name: str, entry: NetrcEntry) -> str:
    """Return the text with a new table of that name at the end of the text, or of the inline array."""
    if (grown := _with_inline(text, path, -1, name, entry)) is not None:
        return grown
    if text and not text.endswith("\n"):
        text += "\n"
    return "".join([text, "\n" if text else "", _table(path, name, entry)])


def without_entry(text: str, path: KeyPath, name: str, server_url: str | None = None) -> str:
    """Return the text without the table of that name, if its ``url`` points at the server."""
    parts = []
    for segment in _segments(text):
        document = tomlkit.parse(segment)
        for table in _tables(document, path):
            if table.get("name") == name and (server_url is None or urls.points_at(table.get("url"), server_url)):
                _remove(document, path, table)
        parts.append(tomlkit.dumps(document) or _comment_below(segment))
    if len(parts) > 1 and not parts[-1] and parts[-2].endswith(("\n\n", "\n\r\n")):
        parts[-2] = re.sub(r"\r?\n\Z", "", parts[-2])  # the line that separated the table from the others
    return "".join(parts)


def _with_inline(text: str, path: KeyPath, position: int, name: str, entry: NetrcEntry) -> str | None:
    documents = [tomlkit.parse(segment) for segment in _segments(text)]
    for document in documents:
        array = _at(document, path)
        if isinstance(array, Array):
            table = tomlkit.inline_table()
            table.update(_values_with_name(name, entry))
            array.insert(position if position >= 0 else len(array), table)
            return "".join(map(tomlkit.dumps, documents))
    return None


def _table(path: KeyPath, name: str, entry: NetrcEntry) -> str:
    keys = "".join(tomlkit.dumps({key: value}) for key, value in _values_with_name(name, entry).items())
    return f"[[{'.'.join(path)}]]\n{keys}"


def _values_with_name(name: str, entry: NetrcEntry) -> dict[str, str | bool]:
    return {"name": name, **{key: value for key, value in entry.items() if value is not None}}


def _at(document: tomlkit.TOMLDocument, path: KeyPath) -> object:
    found: object = document
    for key in path:
        found = found.get(key) if isinstance(found, tomlkit.TOMLDocument | AbstractTable) else None
    return found


def _tables(document: tomlkit.TOMLDocument, path: KeyPath) -> list[AbstractTable]:
    found = _at(document, path)
    return [entry for entry in found if isinstance(entry, AbstractTable)] if isinstance(found, AoT | Array) else []


def _remove(document: tomlkit.TOMLDocument, path: KeyPath, table: AbstractTable) -> None:
    *parents, last = path
    array = _at(document, path)
    owner = _at(document, tuple(parents))
    if isinstance(array, AoT | Array) and isinstance(owner, tomlkit.TOMLDocument | AbstractTable):
        array.remove(table)
        if not array:
            del owner[last]


def _comment_below(segment: str) -> str:
    # tomlkit counts the comment as part of the table.
    found = re.search(r"(?:^[ \t]*(?:#[^\n]*)?(?:\n|\Z))*\Z", segment, re.MULTILINE)
    return found.group() if found and "#" in found.group() else ""


def _segments(text: str) -> list[str]:
    """Split the text before each table, and before the comment right above it.

    Each part is a document of its own, so that an edit of one cannot move another: tomlkit moves the ``[[index]]``
    tables of a document next to each other if there are other tables between them.
    """
    headers = re.finditer(r"^((?:[ \t]*#.*\n)*)[ \t]*\[", text, re.MULTILINE)
    # Text that ends inside of a multi-line array or string is not TOML.
    cuts = [cut for header in headers for cut in (header.start(), header.end(1)) if toml_file.is_toml(text[:cut])]
    return [text[start:end] for start, end in pairwise([0, *sorted({*cuts, len(text)})])]
