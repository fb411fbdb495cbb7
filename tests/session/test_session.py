"""The session of the specification, typed against a server with two workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers.session_transcript import PORT, Step, Terminal, from_text, is_free, same_lines, shows_json, told

STEPS = from_text(Path(__file__).with_name("user-management.txt").read_text("utf-8"))


def matches(step: Step, printed: list[str]) -> bool:
    """Compare as the specification wants it: what depends on the state of the machine is left open."""
    match step.command.split()[1:3]:
        case ["getjson", _]:
            return shows_json(step.expected, printed)
        case ["user", "-l"]:
            return sorted(step.expected) == sorted(printed)
        case _:
            return same_lines(tuple(map(without_state, step.expected)), list(map(without_state, printed)))


def without_state(line: str) -> str:
    """Cut from the line about a configuration file what the file says; label and alignment stay."""
    return line[: line.index(": ") + 1] if line.startswith("~/") else line


def test_the_specification_is_read_whole() -> None:
    """Every command of the document is a step, and each says something."""
    assert len(STEPS) == 13
    assert all(step.expected and step.command.startswith("devpi ") for step in STEPS)


@pytest.mark.slow
def test_every_line_of_the_session(tmp_path: Path) -> None:
    """Every command of the document prints what stands there."""
    terminal = Terminal(tmp_path, PORT if is_free(PORT) else 0)
    with terminal.serve("devpi-server --workers 2"):
        answers = [(step, terminal.type(step.command)) for step in STEPS]

    different = [told(step, printed) for step, printed in answers if not matches(step, printed)]

    assert not different, "\n".join(different)
