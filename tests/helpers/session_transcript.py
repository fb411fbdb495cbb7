"""Reads printed shell sessions, runs their commands in an empty home, and compares the output line by line."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAMS_FOLDER = Path(os.environ.get("WHEELGATE_BIN") or Path(sys.executable).parent)
"""The folder of ``devpi`` and ``devpi-server``: of the tests' environment, or of another one to test."""

DOCUMENTED_PORT = 3141
UNREACHABLE_UPSTREAM = "http://127.0.0.1:9/simple/"
"""The upstream of root/pypi: no server listens there, so that the tests never ask a public index."""
LISTENING = re.compile(r"devpi-server listens on http://127\.0\.0\.1:(\d+)")
START_TIMEOUT_SECONDS = 60
ELLIPSIS = "…"
OTHER_COMMANDS = frozenset(
    {
        *("passwd", "plugins", "fsck", "usage", "prune-mirror", "prefetch", "import", "export", "--version", "--help"),
        *("backup", "restore", "plan", "apply", "export-state"),
    }
)
"""Words of ``devpi-server`` that start no server."""


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """A command of a session with its expected lines."""

    line: int
    command: str
    expected: tuple[str, ...]

    @property
    def serves(self) -> bool:
        """Whether the command starts a server, which keeps running during the next commands."""
        words = shlex.split(self.command)
        return words[:1] == ["devpi-server"] and not OTHER_COMMANDS & set(words)


def from_text(text: str) -> list[ShellCommand]:
    """Read a session from plain text: ``$ command`` and its output, up to the next empty line."""
    return _steps(enumerate(text.splitlines(), 1), ends=lambda line: not line or line.isspace())


def from_markdown(text: str) -> list[ShellCommand]:
    """Read a session from the ``console`` blocks of a page."""
    inside = False
    lines: list[tuple[int, str | None]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith("```"):
            inside = line.strip() == "```console"
            lines.append((number, None))
        elif inside:
            lines.append((number, line))
    return _steps(lines, ends=lambda line: line is None)


def _steps(lines: Iterable[tuple[int, str | None]], ends: Callable[[str | None], bool]) -> list[ShellCommand]:
    steps: list[ShellCommand] = []
    printing = False
    for number, line in lines:
        if line is not None and line.startswith("$ "):
            steps.append(ShellCommand(number, line.removeprefix("$ "), ()))
            printing = True
        elif ends(line):
            printing = False
        elif printing and line is not None:
            last = steps[-1]
            steps[-1] = ShellCommand(last.line, last.command, (*last.expected, line))
    return steps


class Shell:
    """Runs commands and servers in an empty home."""

    def __init__(
        self,
        home: Path,
        port: int = 0,
        variables: Mapping[str, str] | None = None,
        programs: Path = PROGRAMS_FOLDER,
    ) -> None:
        """Set the home, the port of servers instead of 3141 (0: a free one), more variables, the programs' folder."""
        self._home = home
        self._programs = programs
        self._port = port
        self._variables = variables or {}

    def type(self, command: str) -> list[str]:
        """Run a command as documented and return the lines of both its outputs."""
        done = subprocess.run(
            self._here(command),
            shell=True,
            env=self._environment(),
            cwd=self._home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        return done.stdout.replace(f":{self._port}", f":{DOCUMENTED_PORT}").splitlines()

    @contextmanager
    def serve(self, command: str) -> Iterator[list[str]]:
        """Start a server and yield the lines that it prints until it listens; stop it afterwards."""
        log = self._home / "server.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                shlex.split(command),
                executable=str(self._programs / "devpi-server"),
                env=self._environment(),
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._port = _port_of(process, log)
            yield log.read_text().replace(f":{self._port}", f":{DOCUMENTED_PORT}").splitlines()
        finally:
            _end(process)

    def _environment(self) -> Mapping[str, str]:
        return {
            "HOME": str(self._home),
            "PATH": f"{self._programs}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "DEVPISERVER_PORT": str(self._port),
            "DEVPISERVER_ROOT_PYPI_URL": UNREACHABLE_UPSTREAM,
            **self._variables,
        }

    def _here(self, text: str) -> str:
        return text.replace(f"localhost:{DOCUMENTED_PORT}", f"localhost:{self._port}")


def is_free(port: int) -> bool:
    """Whether a server could listen on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _port_of(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        found = LISTENING.search(log.read_text())
        if found:
            return int(found[1])
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"the server does not listen; its output:\n{log.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


def same_lines(expected: tuple[str, ...], printed: list[str]) -> bool:
    """Compare line by line; ``…`` matches any text within a line and, alone, any number of lines."""
    lines = [r"(?:.*\n)*" if line == ELLIPSIS else f"{_pattern(line)}\n" for line in expected]
    return re.fullmatch("".join(lines), "".join(f"{line}\n" for line in printed)) is not None


def _pattern(line: str) -> str:
    return ".*".join(map(re.escape, line.split(ELLIPSIS)))


def shows(expected: Any, found: Any) -> bool:
    """Compare two JSON documents; objects may have more keys than expected."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return all(key in found and shows(value, found[key]) for key, value in expected.items())
    return bool(expected == found)


def shows_json(expected: tuple[str, ...], printed: list[str]) -> bool:
    """Compare two printed JSON documents as :func:`shows` does."""
    return shows(json.loads("\n".join(expected)), json.loads("\n".join(printed)))


def difference(step: ShellCommand, printed: list[str]) -> str:
    """Describe the difference between the expected and the printed lines."""
    return "\n".join([f"line {step.line}: $ {step.command}", "expected:", *step.expected, "printed:", *printed, ""])
