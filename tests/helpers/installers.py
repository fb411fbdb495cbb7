"""How each tool installs a project into ``.venv`` of its home, from one index and without a cache of earlier days."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.helpers.released_tools import Desk

POETRY = """\
[project]
name = "consumer"
version = "1"
requires-python = ">=3.11,<3.99"
dependencies = ["{requirement}"]

[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "private"
url = "{simple}"
priority = "primary"
"""
PDM = """\
[project]
name = "consumer"
version = "1"
requires-python = ">=3.11,<3.99"
dependencies = ["{requirement}"]

[tool.pdm]
distribution = false

[[tool.pdm.source]]
name = "pypi"
url = "{simple}"
"""


UV = """\
[project]
name = "consumer"
version = "1"
requires-python = ">=3.11,<3.99"
dependencies = ["{requirement}"]
"""


COMMANDS: dict[str, Callable[[Desk], tuple[str | Path, ...]]] = {
    "pip": lambda desk: ("pip", "--python", venv(desk), "install", "--no-cache-dir"),
    "uv": lambda desk: ("uv", "pip", "install", "--no-cache", "--python", venv(desk)),
}
"""Commands that install what is said after them."""


def with_pip(desk: Desk, requirement: str) -> None:
    """Install with pip."""
    desk.run(*COMMANDS["pip"](desk), requirement)


def with_uv(desk: Desk, requirement: str) -> None:
    """Install with uv."""
    desk.run(*COMMANDS["uv"](desk), requirement)


def with_uv_sync(desk: Desk, requirement: str) -> None:
    """Lock, and install with uv."""
    desk.write("pyproject.toml", UV.format(requirement=requirement))
    desk.run("uv", "sync", "--no-cache")


def with_poetry(desk: Desk, requirement: str) -> None:
    """Lock, which asks for every digest, and install with poetry."""
    desk.write("pyproject.toml", POETRY.format(simple=desk.simple, requirement=requirement))
    venv(desk)
    desk.run("poetry", "install", "--no-interaction", "--no-root")


def with_pdm(desk: Desk, requirement: str) -> None:
    """Lock, and install with pdm."""
    desk.write("pyproject.toml", PDM.format(simple=desk.simple, requirement=requirement))
    venv(desk)
    desk.run("pdm", "install", "--no-self")


INSTALLERS: dict[str, Callable[[Desk, str], None]] = {
    "pip": with_pip,
    "uv": with_uv,
    "uv sync": with_uv_sync,
    "poetry": with_poetry,
    "pdm": with_pdm,
}


def venv(desk: Desk) -> Path:
    """Make the environment, without pip, and return its Python."""
    desk.run("uv", "venv", "--quiet", "--no-cache", "--allow-existing", ".venv")
    return desk.home / ".venv" / "bin" / "python"


def installed(desk: Desk, *packages: str) -> dict[str, str]:
    """Import packages in the environment, and return the versions that they tell."""
    script = "import importlib, sys; [print(importlib.import_module(name).__version__) for name in sys.argv[1:]]"
    return dict(zip(packages, desk.run(venv(desk), "-c", script, *packages).split(), strict=True))
