"""Reads terminal sessions from a text: commands, the input typed while they run, their output and exit codes.

::

    ## A user gets a new password

    $ devpi passwd alice
    new password for user alice:«unseen»
    repeat new password for user alice:«unseen»
    password with less than 8 characters, are you sure to use it? (yes/no)? ⟨yes⟩
    …
    [exit 1]

Text in ``«»`` is typed and must not be visible; text in ``⟨⟩`` is typed and visible. A command without an exit code
ends with 0. The server is written ``http://localhost:3141``, whatever its port, and the home ``~``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

TYPED_TEXT = re.compile(r"«(?P<unseen>[^»]*)»|⟨(?P<seen>[^⟩]*)⟩")


@dataclass(frozen=True, slots=True)
class Step:
    """One command."""

    line: int
    """The line number in the file."""
    command: str
    printed: tuple[str, ...] = ()
    """The lines on the screen; ``…`` matches any text and, alone on a line, any lines."""
    typed: tuple[tuple[str, str], ...] = ()
    """Prompts, and the text typed at each."""
    code: int = 0


@dataclass(frozen=True, slots=True)
class TerminalSession:
    """Commands that one person types one after the other, in an empty home."""

    title: str
    steps: Sequence[Step]

    def __str__(self) -> str:
        return self.title


def read_sessions(path: Path) -> list[TerminalSession]:
    """Read all sessions of a file; text between a title and the first command is a comment."""
    sessions: list[TerminalSession] = []
    steps: list[Step] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.startswith("## "):
            steps = []
            sessions.append(TerminalSession(line.removeprefix("## "), steps))
        elif line.startswith("$ "):
            steps.append(Step(number, line.removeprefix("$ ")))
        elif line and steps:
            steps[-1] = _with(steps[-1], line)
    return sessions


def _with(step: Step, line: str) -> Step:
    if end := re.fullmatch(r"\[exit (\d+)\]", line):
        return replace(step, code=int(end[1]))
    shown = TYPED_TEXT.sub(lambda typed: typed["seen"] or "", line)
    return replace(step, printed=(*step.printed, shown), typed=(*step.typed, *_answers(line)))


def _answers(line: str) -> Iterator[tuple[str, str]]:
    for typed in TYPED_TEXT.finditer(line):
        yield line[: typed.start()], typed["unseen"] or typed["seen"] or ""
