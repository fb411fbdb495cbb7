"""Edits one option in the text of an ini file and leaves every other byte alone."""

from __future__ import annotations

import io
import re

from configupdater import ConfigUpdater, Option, Section

from wheelgate_pipconfig.ini import Dialect, get_option


def with_option(text: str, dialect: Dialect, section: str, name: str, value: str) -> str:
    """Return the text with the option set: at its place and in its spelling, or else at the end of its section."""
    preamble, document = _parse(text, dialect)
    found = _find(document, dialect, section, name)
    if found is None:
        _append(document, section, name, value)
    else:
        first, *rest = found.lines
        head, old = _split(first, dialect)
        if not old.strip() and head.endswith(dialect.delimiters):
            head += " "
        line_end = old[len(old.rstrip("\r\n")) :]
        found.lines[:] = [head + value + line_end, *(line for line in rest if not _is_value(line))]
    return preamble + str(document)


def without_option(text: str, dialect: Dialect, section: str, name: str) -> str:
    """Return the text without the option, and without its section if that has no other content."""
    preamble, document = _parse(text, dialect)
    found = _find(document, dialect, section, name)
    if found is None:
        return text
    owner = found.section
    found.lines[:] = [line for line in found.lines[1:] if not _is_value(line)]
    if not found.lines:
        found.detach()
    if not owner.structure and not owner.raw_comment.strip() and not _indent_below(owner):
        owner.detach()
    return preamble + str(document)


def with_word(text: str, dialect: Dialect, section: str, name: str, word: str) -> str:
    """Return the text with ``word`` added to the words of the option, on a line of its own."""
    words = (get_option(text, dialect, section, name) or "").split()
    if word in words:
        return text
    preamble, document = _parse(text, dialect)
    found = _find(document, dialect, section, name)
    if found is None or not words:
        return with_option(text, dialect, section, name, " ".join([*words, word]))
    lines = found.lines
    last = max(number for number, line in enumerate(lines) if number == 0 or _is_value(line))
    indent = _indent(lines[last]) + ("" if last else "    ")
    if not lines[last].endswith("\n"):
        lines[last] += "\n"
    lines.insert(last + 1, f"{indent}{word}\n")
    return preamble + str(document)


def without_word(text: str, dialect: Dialect, section: str, name: str, word: str) -> str:
    """Return the text with ``word`` removed from the words of the option; without words the option is removed too."""
    words = (get_option(text, dialect, section, name) or "").split()
    if set(words) == {word}:
        return without_option(text, dialect, section, name)
    preamble, document = _parse(text, dialect)
    found = _find(document, dialect, section, name)
    if found is None or word not in words:
        return text
    first, *rest = found.lines
    head, value = _split(first, dialect)
    alone = re.compile(rf"(?<!\S){re.escape(word)}(?!\S)[ \t]*")
    changed = [(line, alone.sub("", line) if _is_value(line) else line) for line in rest]
    found.lines[:] = [head + alone.sub("", value), *(new for old, new in changed if new.strip() or not old.strip())]
    return preamble + str(document)


def _parse(text: str, dialect: Dialect) -> tuple[str, ConfigUpdater]:
    # ConfigUpdater refuses an indented comment before the first section; the tools accept it.
    header = re.search(r"^[ \t]*\[", text, re.MULTILINE)
    if header is None and text and not text.endswith("\n"):
        text += "\n"
    start = header.start() if header else len(text)
    document = ConfigUpdater(strict=False, delimiters=dialect.delimiters)
    document.read_file(io.StringIO(text[start:], newline=""))
    for section in document.section_blocks():
        _rejoin(section)
    return text[:start], document


def _rejoin(section: Section) -> None:
    # ConfigUpdater does not count a line of a value as part of the option if it follows a comment and a blank line.
    blocks = section.structure
    for below in range(len(blocks) - 1, 0, -1):
        if not isinstance(blocks[below], Option) and any(map(_is_value, blocks[below].lines)):
            blocks[below - 1].lines.extend(blocks.pop(below).lines)


def _find(document: ConfigUpdater, dialect: Dialect, section: str, name: str) -> Option | None:
    # If a tool accepts duplicate options, the last one counts.
    found = [
        entry
        for block in document.section_blocks()
        if block.name == section
        for entry in block.option_blocks()
        if dialect.normalize(entry.raw_key) == name
    ]
    return found[-1] if found else None


def _append(document: ConfigUpdater, section: str, name: str, value: str) -> None:
    if section not in document:
        document.add_section(section)
    owner = [block for block in document.section_blocks() if block.name == section][-1]
    options = owner.option_blocks()
    # A line that is indented more than the line above continues it, so the new line must not be indented less than
    # the next one.
    if options:
        options[-1].add_after.option(_indent(options[-1].lines[0]) + name, value)
    else:
        owner.insert_at(0).option(_indent_below(owner) + name, value)


def _indent_below(section: Section) -> str:
    below = section.document.structure[section.container_idx + 1 :]
    return next((_indent(block.lines[0]) for block in below if isinstance(block, Section)), "")


def _split(line: str, dialect: Dialect) -> tuple[str, str]:
    start = min(line.index(delimiter) for delimiter in dialect.delimiters if delimiter in line) + 1
    value = line[start:].lstrip(" \t")
    return line[: len(line) - len(value)], value


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _is_value(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith(("#", ";"))
