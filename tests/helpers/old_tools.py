"""Old releases of tools, each in an environment of its own, with a Python of its time."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from tests.helpers.released_tools import name_of
from tests.helpers.tool_cache import installed

PYENV_VERSIONS = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"


@dataclass(frozen=True, slots=True)
class OldTool:
    """Requirements with pinned versions, and the Python that they need."""

    python: str
    """Its version, such as 2.7; empty for the Python of the tests."""
    requirements: tuple[str, ...]

    def programs(self) -> Path:
        """Return the folder of the programs; skip the test if the machine has no such Python."""
        python = find_python(self.python) if self.python else None
        return installed(f"tools-{name_of([self.python, *self.requirements])}", self.requirements, python)


def find_python(version: str) -> Path:
    """Return a Python of this version; skip the test if the machine has none."""
    found = _search(version)
    if found is None:
        pytest.skip(f"Python {version} is not installed")
    return found


@cache
def _search(version: str) -> Path | None:
    """Return the first Python that runs: pyenv's shims answer for versions that are not selected too, with an error."""
    script = f"import sys; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
    for candidate in _candidates(version):
        if subprocess.run([candidate, "-c", script], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def _candidates(version: str) -> Iterator[Path]:
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield Path(on_path)
    yield from sorted(PYENV_VERSIONS.glob(f"{version}.*/bin/python"))
