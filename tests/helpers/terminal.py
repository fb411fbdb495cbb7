"""Runs the commands of a session in a pseudo-terminal, and reports how its screen differs from the expected one."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.helpers.session_transcript import same_lines
from tests.helpers.tool_cache import SHARED_PIP
from tests.helpers.transcripts import Step, TerminalSession

from wheelgate.testing.server_process import clean_environment

DOCUMENTED_PORT = 3141
SCREEN_TIMEOUT_SECONDS = 60


class OpenTerminal(Protocol):
    """A function that opens a pseudo-terminal in a new home."""

    def __call__(self, port: int, **programs: Path) -> PseudoTerminal:
        """Open a terminal for a server's port, with programs by the names of their commands."""


@dataclass(frozen=True, slots=True)
class PseudoTerminal:
    """A pseudo-terminal in an empty home, with a server and named programs."""

    home: Path
    port: int
    """The port of the server that the commands call ``localhost:3141``."""

    @classmethod
    def new(cls, folder: Path, port: int, programs: Mapping[str, Path]) -> PseudoTerminal:
        """Create the home inside an empty folder."""
        binaries = folder / "bin"
        binaries.mkdir()
        for name, program in programs.items():
            (binaries / name).symlink_to(program)
        home = folder / "home"
        home.mkdir()
        return cls(home, port)

    def differences(self, session: TerminalSession) -> str:
        """Run the commands of a session; return the differences from the expected screen."""
        return "\n".join(filter(None, map(self._difference, session.steps)))

    def log_in(self, client: str, name: str) -> tuple[str, str]:
        """Create a user and log in with a client; return the name and the token that the client stored."""
        for command in ("use http://localhost:3141", f"user -c {name} password=1234", f"login {name} --password=1234"):
            code, screen = self._type(Step(0, f"{client} {command}"))
            assert code == 0, screen
        state = json.loads((self.home / ".devpi" / "client" / "auth.json").read_text())
        (login,) = state["auth"][f"http://localhost:{self.port}/"]
        return login[0], login[1]

    def _difference(self, step: Step) -> str:
        code, screen = self._type(step)
        if code == step.code and same_lines(step.printed, screen):
            return ""
        expected = [f"line {step.line}: $ {step.command}", "expected:", *step.printed, f"[exit {step.code}]"]
        return "\n".join([*expected, "printed:", *screen, f"[exit {code}]", ""])

    def _type(self, step: Step) -> tuple[int, list[str]]:
        """Run a command; return its exit code, and the screen as transcripts show it."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            self._here(step.command),
            shell=True,
            env=clean_environment(
                HOME=str(self.home),
                PATH=f"{self.home.with_name('bin')}:/usr/bin:/bin",
                TERM="dumb",
                COLUMNS="80",
                PIP_DISABLE_PIP_VERSION_CHECK="1",  # the check would ask a public index
                **SHARED_PIP,
            ),
            cwd=self.home,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,  # keeps the commands from the terminal that the tests run in
        ) as process:
            os.close(theirs)
            try:
                screen = _dialogue(ours, [(self._here(prompt), text) for prompt, text in step.typed])
                os.close(ours)
                code = process.wait(SCREEN_TIMEOUT_SECONDS)
            finally:
                process.kill()  # it may wait for more input
        shown = screen.replace(f":{self.port}", f":{DOCUMENTED_PORT}").replace(str(self.home), "~")
        return code, shown.replace("\r\n", "\n").splitlines()

    def _here(self, text: str) -> str:
        return text.replace(f"localhost:{DOCUMENTED_PORT}", f"localhost:{self.port}")


def _dialogue(terminal: int, answers: Sequence[tuple[str, str]]) -> str:
    """Type each answer when its prompt appears; return the output until the program ends."""
    screen, seen = b"", 0
    for prompt, answer in answers:
        while prompt.encode() not in screen[seen:]:
            shown = _shown(terminal)
            if not shown:
                return screen.decode()
            screen += shown
        seen = screen.index(prompt.encode(), seen) + len(prompt.encode())
        os.write(terminal, f"{answer}\n".encode())
    while shown := _shown(terminal):
        screen += shown
    return screen.decode()


def _shown(terminal: int) -> bytes:
    """Return new output; nothing if the program has ended, or prints nothing until the timeout."""
    if not select.select([terminal], [], [], SCREEN_TIMEOUT_SECONDS)[0]:
        return b""
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed
        return b""
