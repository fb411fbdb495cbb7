"""The incumbent's programs and ours, side by side."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.helpers import incumbent
from tests.helpers import released_tools as released
from tests.helpers.terminal import SitDown, Terminal


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
    """Return both clients, by the names that the sessions call them by."""
    return {"ours": Path(sys.executable).with_name("devpi"), "theirs": theirs / "devpi"}


@pytest.fixture
def sit_down(tmp_path: Path) -> SitDown:
    """Return a way to sit down at a terminal in a home where nothing was ever done."""

    def sit_down(port: int, **programs: Path) -> Terminal:
        return Terminal.new(tmp_path, port, programs)

    return sit_down
