"""Virtual environments, as they are named on the command line."""

from __future__ import annotations

from pathlib import Path

from wheelgate_client.errors import ClientError
from wheelgate_client.state.atomic import local


def found(directory: str) -> Path:
    """Return the absolute path of a virtual environment.

    Raises:
        ClientError: if there is none.
    """
    path = Path(local(directory))
    if not (path / "pyvenv.cfg").exists():
        raise ClientError(f"No virtualenv found at: '{directory}'; if devpi is to forget it, type 'devpi use --venv -'")
    return path
