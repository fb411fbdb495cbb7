"""The commands of the documented session, run against a server with two workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers.session_transcript import (
    DOCUMENTED_PORT,
    Shell,
    ShellCommand,
    difference,
    from_text,
    is_free,
    same_lines,
    shows_json,
)

STEPS = from_text(Path(__file__).with_name("user-management.txt").read_text("utf-8"))


def matches(step: ShellCommand, printed: list[str]) -> bool:
    """Compare the printed lines with the expected ones, except for parts that depend on the machine."""
    match step.command.split()[1:3]:
        case ["getjson", _]:
            return shows_json(step.expected, printed)
        case ["user", "-l"]:
            return sorted(step.expected) == sorted(printed)
        case _:
            return same_lines(tuple(map(without_state, step.expected)), list(map(without_state, printed)))


def without_state(line: str) -> str:
    """Remove the content of a configuration file from the line about it; label and alignment stay."""
    return line[: line.index(": ") + 1] if line.startswith("~/") else line


def test_all_commands_are_read() -> None:
    """Every command of the document is a step, and every step has output."""
    assert len(STEPS) == 13
    assert all(step.expected and step.command.startswith("devpi ") for step in STEPS)


@pytest.mark.slow
def test_every_line_of_the_session(tmp_path: Path) -> None:
    """Every command prints the lines in the document."""
    shell = Shell(tmp_path, DOCUMENTED_PORT if is_free(DOCUMENTED_PORT) else 0)
    with shell.serve("devpi-server --workers 2"):
        answers = [(step, shell.type(step.command)) for step in STEPS]

    different = [difference(step, printed) for step, printed in answers if not matches(step, printed)]

    assert not different, "\n".join(different)
