"""Where the server keeps temporary files, and who may read the files that it makes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

PRIVATE_UMASK = 0o077
"""Takes all rights away from everybody but the owner."""


def keep_files_private() -> None:
    """Make every new file readable by the owner only: logs too, also after a rotation, name users and addresses."""
    os.umask(PRIVATE_UMASK)


def choose_temporary_folder(serverdir: Path) -> None:
    """Use the server's folder for temporary files if nothing else can be written, as in a read-only container."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        # The first one is for Python and child processes, the second one for SQLite.
        os.environ["TMPDIR"] = os.environ["SQLITE_TMPDIR"] = str(serverdir)
