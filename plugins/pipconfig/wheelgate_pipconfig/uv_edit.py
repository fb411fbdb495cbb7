"""Edits of the indexes in the text of a ``uv.toml`` that leave every other byte alone."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise

import tomlkit
from tomlkit.items import AbstractTable, AoT, Array

from wheelgate_pipconfig import urls


def with_index_url(text: str, url: str) -> str:
    """Return the text with ``index-url`` set, above all tables."""
    root, *tables = _segments(text)
    document = tomlkit.parse(root)
    document["index-url"] = url
    return "".join([tomlkit.dumps(document), *tables])


def with_new_index(text: str, name: str, url: str) -> str:
    """Return the text with a new index, the default one, before all others."""
    root, *tables = _segments(text)
    entry = tomlkit.inline_table()
    entry.update({"name": name, "url": url, "default": True})
    document = tomlkit.parse(root)
    index = document.get("index")
    if isinstance(index, Array):
        index.insert(0, entry)
        return "".join([tomlkit.dumps(document), *tables])
    before = "\n" if root and not root.endswith("\n") else ""
    after = "\n" if tables else ""
    return "".join([root, before, tomlkit.dumps({"index": [entry.unwrap()]}), after, *tables])


def with_named_index(text: str, name: str, url: str) -> str:
    """Return the text with another URL in the index of that name."""
    documents = [tomlkit.parse(segment) for segment in _segments(text)]
    for document in documents:
        for entry in _indexes(document):
            if entry.get("name") == name:
                entry["url"] = url
    return "".join(map(tomlkit.dumps, documents))


def without_index(text: str, name: str, server_url: str) -> str:
    """Return the text without ``index-url`` and the index of that name, where they point at the server."""
    documents = [tomlkit.parse(segment) for segment in _segments(text)]
    for document in documents:
        if urls.points_at(document.get("index-url"), server_url):
            del document["index-url"]
        for entry in _indexes(document):
            if entry.get("name") == name and urls.points_at(entry.get("url"), server_url):
                document["index"].remove(entry)
                if not document["index"]:
                    del document["index"]
    return "".join(map(tomlkit.dumps, documents))


def _indexes(document: tomlkit.TOMLDocument) -> list[AbstractTable]:
    index = document.get("index")
    return [entry for entry in index if isinstance(entry, AbstractTable)] if isinstance(index, (AoT, Array)) else []


def _segments(text: str) -> list[str]:
    """Cut the text before each table, and before the comment right above it.

    Each part is a document of its own, so that an edit of one cannot move another: tomlkit brings the
    ``[[index]]`` tables of a whole document together when other tables stand between them.
    """
    headers = re.finditer(r"^((?:[ \t]*#.*\n)*)[ \t]*\[", text, re.MULTILINE)
    cuts = [cut for header in headers for cut in (header.start(), header.end(1)) if _is_toml(text[:cut])]
    return [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]


def _is_toml(text: str) -> bool:
    # Text that ends within an array or a string of several lines is not.
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True
