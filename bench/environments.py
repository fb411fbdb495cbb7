"""Installs the programs into virtual environments in a cache folder, when they are first needed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from tests.helpers.tool_cache import CACHE

ROOT = Path(__file__).parent.parent
INCUMBENT_REQUIREMENTS = ("devpi-server==6.20.3", "devpi-client==7.3.0")
WHEEL_SOURCES = ("core", "client", "plugins", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md")


class Environments:
    """Virtual environments with different programs; each is the path of its ``bin`` folder."""

    def ours(self, extra: str = "") -> Path:
        """Install this checkout's wheel with ``pip install``, with or without an extra."""
        declared = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()[:12]
        wheel = str(self._wheel)
        binaries = self._made(f"ours-{extra or 'plain'}-{declared}", [f"{wheel}[{extra}]" if extra else wheel])
        pip(binaries, "install", "--no-deps", "--force-reinstall", wheel)
        return binaries

    @cached_property
    def incumbent(self) -> Path:
        """The incumbent's released server and client."""
        given = os.environ.get("WHEELGATE_PEER_VENV")
        return Path(given).absolute() / "bin" if given else self._made("incumbent-6.20.3", INCUMBENT_REQUIREMENTS)

    @cached_property
    def _wheel(self) -> Path:
        """Build from a copy, because a build leaves folders next to the sources."""
        builder = self._made("builder", [])
        wheels = CACHE / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            for name in WHEEL_SOURCES:
                source, copy = ROOT / name, Path(folder, name)
                if source.is_dir():
                    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(source, copy)
            pip(builder, "wheel", "--no-deps", "--wheel-dir", str(wheels), folder)
        return next(wheels.glob("wheelgate-*.whl"))

    def _made(self, name: str, requirements: Sequence[str]) -> Path:
        """Make an environment unless it exists; make it again if its installation was interrupted."""
        folder = CACHE / name
        done = folder / "complete"
        if not done.exists():
            print(f"installing {name} …", file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            if requirements:
                pip(folder / "bin", "install", *requirements)
            done.touch()
        return folder / "bin"


def pip(binaries: Path, *arguments: str) -> None:
    """Run pip of an environment; show its output only if it fails."""
    command = [str(binaries / "python"), "-m", "pip", "--disable-pip-version-check", *arguments]
    try:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.CalledProcessError as error:
        output = error.stdout.decode(errors="replace")
        raise SystemExit(f"'pip {' '.join(arguments)}' failed; its output:\n{output}") from None


def variables(binaries: Path, home: Path) -> dict[str, str]:
    """Return environment variables for a program: none of the user's settings, and its own home."""
    return {
        "PATH": f"{binaries}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "NO_PROXY": "*",
    }
