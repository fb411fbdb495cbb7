"""Reads requirements files: one requirement on a line, with comments, hashes, constraints and further files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from wheelgate.errors import BadInput

MAX_NESTED_FILES = 20
"""How deep files may name further files."""
MAX_FILE_BYTES = 16 << 20
"""The largest requirements file."""
HASH_OPTION = re.compile(r"\s--hash[= ](\S+)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The requirements of some files."""

    requirements: list[tuple[Requirement, str]] = field(default_factory=list)
    """Each with its place, such as ``requirements.txt:3``."""
    constraints: list[tuple[Requirement, str]] = field(default_factory=list)
    """Requirements that count only for projects that are needed anyway."""


def read_requirements(path: str, wanted: Wanted, *, constrains: bool = False, depth: int = 0) -> None:
    """Add the requirements of a file, and of those that it names.

    Raises:
        BadInput: a file cannot be read, or a line is no requirement with a name.
    """
    if depth > MAX_NESTED_FILES:
        raise BadInput(f"{path}: requirements files name each other in a circle")
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"cannot read {path}: it is not text in UTF-8") from None
    if len(content) > MAX_FILE_BYTES:
        raise BadInput(f"cannot read {path}: it has more than {MAX_FILE_BYTES} bytes")
    for number, line in logical_lines(text):
        place = f"{path}:{number}"
        if named := re.fullmatch(r"(-r|--requirement|-c|--constraint)[ =]\s*(.+)", line):
            other = str(Path(path).parent / named[2])
            read_requirements(
                other, wanted, constrains=constrains or named[1] in ("-c", "--constraint"), depth=depth + 1
            )
        else:
            found = (parse_line(line, place), place)
            (wanted.constraints if constrains else wanted.requirements).append(found)


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers, without comments; a backslash at the end continues a line."""
    begun, joined = 1, ""
    for number, line in enumerate(text.splitlines(), 1):
        begun = begun if joined else number
        plain = re.sub(r"(^|\s)#.*", "", line).rstrip()
        if line.rstrip().endswith("\\") and plain.endswith("\\"):
            joined += f"{plain[:-1]} "
            continue
        if complete := f"{joined}{plain}".strip():
            yield begun, complete
        joined = ""
    if joined.strip():
        yield begun, joined.strip()


def parse_line(line: str, place: str) -> Requirement:
    """Return the requirement in a line; hashes are left out, because the mirror checks those of the upstream.

    Raises:
        BadInput: it is none, or names a URL or an option.
    """
    try:
        requirement = Requirement(HASH_OPTION.sub("", line))
    except InvalidRequirement:
        raise BadInput(f"{place}: {line[:100]!a} is not a requirement such as 'requests>=2.32'") from None
    if requirement.url is not None:
        raise BadInput(f"{place}: {line[:100]!a} has a URL, but a mirror has only what its upstream lists")
    return requirement
