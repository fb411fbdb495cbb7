"""Installs a project with each tool into ``.venv`` of its home, from one index and without an earlier cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.helpers.released_tools import ToolHome

POETRY_PROJECT = """\
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
PDM_PROJECT = """\
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


UV_PROJECT = """\
[project]
name = "consumer"
version = "1"
requires-python = ">=3.11,<3.99"
dependencies = ["{requirement}"]
"""


COMMANDS: dict[str, Callable[[ToolHome], tuple[str | Path, ...]]] = {
    "pip": lambda home: ("pip", "--python", venv(home), "install", "--no-cache-dir"),
    "uv": lambda home: ("uv", "pip", "install", "--no-cache", "--python", venv(home)),
}
"""Commands that install the requirements that follow them."""


def with_pip(home: ToolHome, requirement: str) -> None:
    """Install with pip."""
    home.run(*COMMANDS["pip"](home), requirement)


def with_uv(home: ToolHome, requirement: str) -> None:
    """Install with uv."""
    home.run(*COMMANDS["uv"](home), requirement)


def with_uv_sync(home: ToolHome, requirement: str) -> None:
    """Lock and install with uv."""
    home.write("pyproject.toml", UV_PROJECT.format(requirement=requirement))
    home.run("uv", "sync", "--no-cache")


def with_poetry(home: ToolHome, requirement: str) -> None:
    """Lock, which needs every digest, and install with poetry."""
    home.write("pyproject.toml", POETRY_PROJECT.format(simple=home.simple, requirement=requirement))
    venv(home)
    home.run("poetry", "install", "--no-interaction", "--no-root")


def with_pdm(home: ToolHome, requirement: str) -> None:
    """Lock and install with pdm."""
    home.write("pyproject.toml", PDM_PROJECT.format(simple=home.simple, requirement=requirement))
    venv(home)
    home.run("pdm", "install", "--no-self")


INSTALLERS: dict[str, Callable[[ToolHome, str], None]] = {
    "pip": with_pip,
    "uv": with_uv,
    "uv sync": with_uv_sync,
    "poetry": with_poetry,
    "pdm": with_pdm,
}


def venv(home: ToolHome) -> Path:
    """Create the environment, without pip, and return its Python."""
    home.run("uv", "venv", "--quiet", "--no-cache", "--allow-existing", ".venv")
    return home.folder / ".venv" / "bin" / "python"


def installed(home: ToolHome, *packages: str) -> dict[str, str]:
    """Import packages in the environment and return their ``__version__``."""
    script = "import importlib, sys; [print(importlib.import_module(name).__version__) for name in sys.argv[1:]]"
    return dict(zip(packages, home.run(venv(home), "-c", script, *packages).split(), strict=True))
