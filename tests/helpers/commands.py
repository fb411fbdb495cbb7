"""Runs ``devpi-server`` inside a test, except for commands that start a server."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from wheelgate.main import main
from wheelgate.plugin_host.discovery import Plugins, discover
from wheelgate.testing.site import CHEAP_HASHING_SETTINGS

CHEAPLY = [f"--{key}={value}" for key, value in CHEAP_HASHING_SETTINGS.items()]


@dataclass(frozen=True)
class Outcome:
    """The exit code of a command, and its output."""

    code: int
    out: str
    err: str

    def fails(self, code: int, sentence: str) -> None:
        """Check that the command failed with one line on standard error and no other output."""
        assert (self.code, self.out, self.err) == (code, "", f"devpi-server: {sentence}\n")


Run = Callable[..., Outcome]


@cache
def discovered(path: tuple[str, ...], blocked: tuple[str, ...]) -> Plugins:
    """Look for plugins once on each search path: that takes half of the time of a command, and changes nothing."""
    return discover(blocked)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return a function that runs the command with arguments and standard input."""
    root, wheelgate = logging.getLogger(), logging.getLogger("wheelgate")
    handlers, level = root.handlers[:], wheelgate.level

    monkeypatch.setattr("wheelgate.main.discover", lambda blocked: discovered(tuple(sys.path), tuple(blocked)))

    def command(*arguments: str, stdin: str = "") -> Outcome:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    yield command
    root.handlers[:] = handlers
    wheelgate.setLevel(level)
