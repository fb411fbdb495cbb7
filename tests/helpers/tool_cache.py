"""Where what others wrote is installed, once for all test runs and benchmarks of a user."""

import os
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "wheelgate-bench"
SHARED_PIP = {"VIRTUALENV_OVERRIDE_APP_DATA": str(CACHE / "virtualenv"), "VIRTUALENV_SYMLINK_APP_DATA": "1"}
"""Variables by which environments of virtualenv, and so of tox, share a pip: to copy and compile it takes seconds."""
