"""The text of a netrc file: the logins in it, and edits of one that leave every other byte alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

WORD = re.compile(r'"(?:\\.|[^"\\])*(?:"|\Z)|(?:\\.|[^\n\t\r \\])+', re.DOTALL)
"""As the standard library's ``netrc`` reads them; a quoted one may lack its end."""
LINE_END = re.compile(r"\n|\Z")
MACRO_END = re.compile(r"\n\r?\n|\Z")


@dataclass(slots=True)
class Entry:
    """One ``machine``, or the ``default`` for all that are not named."""

    machine: str | None
    start: int
    head_end: int
    """Where the name ends."""
    end: int
    values: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Where ``login``, ``password`` and ``account`` say what they say."""

    def value(self, text: str, name: str) -> str:
        """Return a value as it is meant, or the empty text."""
        span = self.values.get(name)
        return "" if span is None else plain(text[slice(*span)])


def entries(text: str) -> list[Entry]:
    """Return the logins, in the order of the file, given a text that the standard library accepts."""
    found: list[Entry] = []
    within: Entry | None = None
    words = _Words(text)
    for word in words:
        key = word.group()
        if key == "macdef":
            within = None
            words.skip_to(MACRO_END)
        elif key in {"machine", "default"}:
            name = next(words, word) if key == "machine" else word
            machine = plain(name.group()) if key == "machine" else None
            within = Entry(machine, word.start(), name.end(), name.end())
            found.append(within)
        elif key.startswith("#"):
            # Outside of entries only a lone # takes its line along.
            if within is not None or key == "#":
                words.skip_to(LINE_END)
        elif within is not None:
            value = next(words, word)
            within.values["login" if key == "user" else key] = value.span()
            within.end = value.end()
    return found


def with_login(text: str, machine: str, login: str, password: str) -> str:
    """Return the text with this login at the machine: in its place if there is one, else on a line of its own."""
    found = [entry for entry in entries(text) if entry.machine == machine]
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
    """Return the text without the machine, and without the lines that held nothing else."""
    for entry in reversed(entries(text)):
        if entry.machine == machine:
            before, after = text[: entry.start], text[entry.end :]
            # A comment on its line is about it.
            if rest := re.match(r"[ \t]*(?:#[^\n]*?)?(\r?\n|\Z)", after):
                before = before.rstrip(" \t")
                after = after[rest.end() :] if before[-1:] in {"", "\n"} else rest.group(1) + after[rest.end() :]
            text = before + after
    return text


def passwords(text: str) -> frozenset[str]:
    """Return all passwords, as they are written."""
    spans = [span for entry in entries(text) for name, span in entry.values.items() if name in {"password", "account"}]
    return frozenset(text[slice(*span)] for span in spans)


def plain(word: str) -> str:
    """Return what a word means without its quotes and backslashes."""
    quoted = len(word) > 1 and word.startswith('"')
    return re.sub(r"\\(.)", r"\1", word[1:-1] if quoted else word, flags=re.DOTALL)


def _with_line(text: str, line: str) -> str:
    # What stands behind the default is not heeded by every tool.
    default = next((entry for entry in entries(text) if entry.machine is None), None)
    place = len(text) if default is None else text.rfind("\n", 0, default.start) + 1
    if default is not None and text[place : default.start].strip():
        place = default.start
    before = "\n" if place and text[place - 1] != "\n" else ""
    return text[:place] + before + line + text[place:]


class _Words:
    """The words of a text, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def __iter__(self) -> Iterator[re.Match[str]]:
        return self

    def __next__(self) -> re.Match[str]:
        word = WORD.search(self._text, self._position)
        if word is None:
            raise StopIteration
        self._position = word.end()
        return word

    def skip_to(self, end: re.Pattern[str]) -> None:
        found = end.search(self._text, self._position)
        self._position = found.end() if found else len(self._text)
