"""Virtual environments, as users name them on the command line."""

from __future__ import annotations

from pathlib import Path

from wheelgate_client.errors import ClientError
from wheelgate_client.state.atomic_files import expanded_path
from wheelgate_client.tools.programs import printable_command


def find_venv(directory: str) -> Path:
    """Return the absolute path of a virtual environment.

    Raises:
        ClientError: if the directory is none.
    """
    path = Path(expanded_path(directory))
    if not (path / "pyvenv.cfg").exists():
        create = printable_command(["python3", "-m", "venv", directory])
        raise ClientError(
            f"No virtualenv found at: '{directory}'; type '{create}' to create it, or"
            " 'devpi use --venv -' to make devpi forget it"
        )
    return path
