"""The folder of third-party programs, which are installed once for all test runs and benchmarks of a user."""

import os
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "wheelgate-bench"
SHARED_PIP = {"VIRTUALENV_OVERRIDE_APP_DATA": str(CACHE / "virtualenv"), "VIRTUALENV_SYMLINK_APP_DATA": "1"}
"""Variables that let virtualenv's and tox's environments share one pip: copying and compiling it takes seconds."""
