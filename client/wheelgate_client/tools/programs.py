"""Runs other programs: they use the terminal directly, and get secrets in the environment, which is never printed."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from wheelgate_client.errors import ClientError, os_reason
from wheelgate_client.server import urls


def run_program(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> int:
    """Run a program until it ends, with ``environ`` as its whole environment, and return its exit code.

    Raises:
        ClientError: if it cannot be started.
    """
    output = subprocess.DEVNULL if quiet else None
    try:
        return subprocess.run(  # noqa: S603 - a list, not a shell; the user asked for this program
            list(command), cwd=cwd, env=environ, stdout=output, stderr=output, check=False
        ).returncode
    except OSError as error:
        raise ClientError(f"cannot run '{command[0]}': {os_reason(error)}") from None


def printable_command(command: Sequence[str], variables: Mapping[str, str] | None = None) -> str:
    """Return a command and its additional environment variables as text, with passwords masked."""
    words = shlex.join(command)
    if not variables:
        return urls.mask_passwords(words)
    additional = ",".join(f"{name}={urls.mask_passwords(value)}" for name, value in variables.items())
    return f"{urls.mask_passwords(words)}  [{additional}]"
