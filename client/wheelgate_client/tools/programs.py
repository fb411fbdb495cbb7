"""Other programs: run with the terminal as theirs, their secrets in the environment and never in what is shown."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from wheelgate_client.errors import ClientError, reason
from wheelgate_client.server import urls


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> int:
    """Run a program to its end, with ``environ`` as its whole environment, and return its exit code.

    Raises:
        ClientError: if it cannot be started.
    """
    output = subprocess.DEVNULL if quiet else None
    try:
        return subprocess.run(  # noqa: S603 - a list, not a shell; what is run is what the user asked for
            list(command), cwd=cwd, env=environ, stdout=output, stderr=output, check=False
        ).returncode
    except OSError as error:
        raise ClientError(f"cannot run '{command[0]}': {reason(error)}") from None


def shown(command: Sequence[str], environ: Mapping[str, str] | None = None) -> str:
    """Return a command, and what is special in its environment, as they may be printed: secrets are masked."""
    words = shlex.join(command)
    if not environ:
        return urls.masked(words)
    special = ",".join(f"{name}={urls.masked(value)}" for name, value in environ.items())
    return f"{urls.masked(words)}  [{special}]"
