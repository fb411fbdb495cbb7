"""What tests of several folders share: a real ``devpi-server``, which the kit for authors of plugins has; a cache."""

import os
from pathlib import Path

from wheelgate.testing.server import CHEAP_HASHING, RunningServer, clean_environment, free_port

__all__ = ["CACHE", "CHEAP_HASHING", "SHARED_PIP", "RunningServer", "clean_environment", "free_port"]

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "wheelgate-bench"
"""Where what others wrote is installed, once for all test runs and benchmarks of a user."""
SHARED_PIP = {"VIRTUALENV_OVERRIDE_APP_DATA": str(CACHE / "virtualenv"), "VIRTUALENV_SYMLINK_APP_DATA": "1"}
"""Variables by which environments of virtualenv, and so of tox, share a pip: to copy and compile it takes seconds."""
