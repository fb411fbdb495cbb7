"""Packages on this server with the incumbent's released client."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.helpers import release_files
from tests.helpers.terminal import OpenTerminal
from tests.helpers.transcripts import TerminalSession, read_sessions

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

FAKE_SPHINX = """#!/bin/sh
# Called as: sphinx-build -E SOURCES TARGET
mkdir -p "$3" && echo '<p>tiny' > "$3/index.html"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Start a server with two workers."""
    with ServerProcess(tmp_path_factory.mktemp("ours") / "server", *CHEAP_HASHING, workers=2) as server:
        yield server


@pytest.fixture
def sphinx(tmp_path: Path) -> Path:
    """Return a program that writes documentation without any sources."""
    program = tmp_path / "sphinx-build"
    program.write_text(FAKE_SPHINX)
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("session", read_sessions(Path(__file__).with_name("their_client_packages.txt")), ids=str)
def test_their_client_handles_packages(
    session: TerminalSession,
    server: ServerProcess,
    clients: Mapping[str, Path],
    open_terminal: OpenTerminal,
    sphinx: Path,
) -> None:
    """The incumbent's client uploads, lists, pushes, removes, installs and tests as in the session."""
    tools = {name: Path(sys.executable).with_name(name) for name in ("python", "tox", "virtualenv")}
    programs = {"devpi": clients["theirs"], "sphinx-build": sphinx, **tools}
    terminal = open_terminal(server.port, **programs)
    release_files.lay_out(terminal.home)

    assert not terminal.differences(session)
