"""Reads the logins in the text of a netrc file, and edits one and leaves every other byte alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

NETRC_WORD = re.compile(r'"(?:\\.|[^"\\])*(?:"|\Z)|(?:\\.|[^\n\t\r \\])+', re.DOTALL)
"""A word as the ``netrc`` module of the standard library reads it; the closing quote may be missing."""
NETRC_LINE_END = re.compile(r"\n|\Z")
NETRC_MACRO_END = re.compile(r"\n\r?\n|\Z")


@dataclass(slots=True)
class NetrcEntry:
    """The entry of one ``machine``, or the ``default`` entry for all other machines."""

    machine: str | None
    start: int
    head_end: int
    """The end of the name."""
    end: int
    values: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The start and end of the values of ``login``, ``password`` and ``account``."""

    def value(self, text: str, name: str) -> str:
        """Return a value without quotes, or the empty text."""
        span = self.values.get(name)
        return "" if span is None else unquote_word(text[slice(*span)])


def parse_entries(text: str) -> list[NetrcEntry]:
    """Return the entries in the order of the file; the standard library has to accept the text."""
    found: list[NetrcEntry] = []
    within: NetrcEntry | None = None
    words = _Words(text)
    for word in words:
        key = word.group()
        if key == "macdef":
            within = None
            words.skip_to(NETRC_MACRO_END)
        elif key in {"machine", "default"}:
            name = next(words, word) if key == "machine" else word
            machine = unquote_word(name.group()) if key == "machine" else None
            within = NetrcEntry(machine, word.start(), name.end(), name.end())
            found.append(within)
        elif key.startswith("#"):
            # Outside of entries only a lone # makes its line a comment.
            if within is not None or key == "#":
                words.skip_to(NETRC_LINE_END)
        elif within is not None:
            value = next(words, word)
            within.values["login" if key == "user" else key] = value.span()
            within.end = value.end()
    return found


def with_login(text: str, machine: str, login: str, password: str) -> str:
    """Return the text with this login for the machine: replace an existing one, or else add a line."""
    found = [entry for entry in parse_entries(text) if entry.machine == machine]
    if not found:
        return _with_line(text, f"machine {machine} login {login} password {password}\n")
    entry = found[-1]  # of several, the last one counts
    changes = {"login": login, "password": password}
    missing = "".join(f" {name} {value}" for name, value in changes.items() if name not in entry.values)
    spans = [(entry.values[name], value) for name, value in changes.items() if name in entry.values]
    for (start, end), value in sorted([*spans, ((entry.head_end, entry.head_end), missing)], reverse=True):
        text = text[:start] + value + text[end:]
    return text


def without_machine(text: str, machine: str) -> str:
    """Return the text without the machine, and without lines that contain nothing else."""
    for entry in reversed(parse_entries(text)):
        if entry.machine == machine:
            before, after = text[: entry.start], text[entry.end :]
            # A comment on the line of an entry belongs to the entry.
            if rest := re.match(r"[ \t]*(?:#[^\n]*?)?(\r?\n|\Z)", after):
                before = before.rstrip(" \t")
                after = after[rest.end() :] if before[-1:] in {"", "\n"} else rest.group(1) + after[rest.end() :]
            text = before + after
    return text


def passwords(text: str) -> frozenset[str]:
    """Return all passwords as they appear in the file."""
    spans = [
        span for entry in parse_entries(text) for name, span in entry.values.items() if name in {"password", "account"}
    ]
    return frozenset(text[slice(*span)] for span in spans)


def unquote_word(word: str) -> str:
    """Return a word without its quotes and backslashes."""
    quoted = len(word) > 1 and word.startswith('"')
    return re.sub(r"\\(.)", r"\1", word[1:-1] if quoted else word, flags=re.DOTALL)


def _with_line(text: str, line: str) -> str:
    # Not every tool reads entries after the default entry.
    default = next((entry for entry in parse_entries(text) if entry.machine is None), None)
    place = len(text) if default is None else text.rfind("\n", 0, default.start) + 1
    if default is not None and text[place : default.start].strip():
        place = default.start
    before = "\n" if place and text[place - 1] != "\n" else ""
    return text[:place] + before + line + text[place:]


class _Words:
    """Iterates over the words of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def __iter__(self) -> Iterator[re.Match[str]]:
        return self

    def __next__(self) -> re.Match[str]:
        word = NETRC_WORD.search(self._text, self._position)
        if word is None:
            raise StopIteration
        self._position = word.end()
        return word

    def skip_to(self, end: re.Pattern[str]) -> None:
        found = end.search(self._text, self._position)
        self._position = found.end() if found else len(self._text)
