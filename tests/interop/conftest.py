"""Fixtures: the incumbent's programs and this project's."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.helpers import incumbent
from tests.helpers import released_tools as released
from tests.helpers.terminal import OpenTerminal, PseudoTerminal


@pytest.fixture(scope="session")
def theirs() -> Path:
    """Return the folder of the incumbent's programs."""
    return incumbent.programs()


@pytest.fixture(scope="session")
def tools() -> str:
    """Return a ``PATH`` of the tools that upload and install."""
    return released.programs()


@pytest.fixture(scope="session")
def clients(theirs: Path) -> Mapping[str, Path]:
    """Return both clients by their names in the sessions."""
    return {"ours": Path(sys.executable).with_name("devpi"), "theirs": theirs / "devpi"}


@pytest.fixture
def open_terminal(tmp_path: Path) -> OpenTerminal:
    """Return a function that opens a pseudo-terminal in an empty home."""

    def open_terminal(port: int, **programs: Path) -> PseudoTerminal:
        return PseudoTerminal.new(tmp_path, port, programs)

    return open_terminal
