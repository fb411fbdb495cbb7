"""Third-party programs, which are installed once for all test runs and benchmarks of a user."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "wheelgate-bench"
SHARED_PIP = {"VIRTUALENV_OVERRIDE_APP_DATA": str(CACHE / "virtualenv"), "VIRTUALENV_SYMLINK_APP_DATA": "1"}
"""Variables that let virtualenv's and tox's environments share one pip: copying and compiling it takes seconds."""
RESOLVER = "pip==26.3"
"""Pip that installs tools: some earlier ones need minutes to choose the requirements of old tools."""
OLD_VIRTUALENV = "virtualenv==20.21.1"
"""The last virtualenv that makes environments for Python 2.7 and 3.6."""


def installed(name: str, requirements: Sequence[str], python: Path | None = None) -> Path:
    """Install programs into an environment of this name, once for all test runs of a user; return their folder.

    Args:
        name: the environment, which depends on the requirements and on the Python.
        requirements: what to install.
        python: an older Python for the environment; the one of the tests if not given.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = CACHE / name
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():  # an interrupted installation has no such file
            shutil.rmtree(folder, ignore_errors=True)
            if python is None:
                subprocess.run([sys.executable, "-m", "venv", folder], check=True)
                _install(folder, [RESOLVER])
            else:
                virtualenv = installed("old-virtualenv", [OLD_VIRTUALENV]) / "virtualenv"
                subprocess.run([virtualenv, "--quiet", "--no-download", "--python", python, folder], check=True)
            _install(folder, requirements)
            (folder / "complete").touch()
    return folder / "bin"


def _install(folder: Path, requirements: Sequence[str]) -> None:
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "--disable-pip-version-check", "install", *requirements], check=True)
