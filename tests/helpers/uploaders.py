"""Uploads a project with each tool: its command, and the variables that configure it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.helpers.distributions import package_name, sdist, wheel
from tests.helpers.released_tools import ToolHome

MODULE = '"""Distribution for a test."""\n\n__version__ = "{version}"\n'
PROJECT = """\
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"

[project]
name = "{name}"
version = "{version}"
description = "made for a test"
requires-python = ">=3.8"
"""


@dataclass(frozen=True, slots=True)
class Login:
    """The index to upload to, and the login."""

    index: str
    user: str
    secret: str


@dataclass(frozen=True, slots=True)
class Uploader:
    """The command of a tool, and the variables for the index and the login."""

    command: tuple[str, ...]
    variables: Callable[[Login], dict[str, str]]
    takes_files: bool = False
    """Whether the command needs the files as arguments; otherwise it looks into ``dist``."""

    def upload(self, home: ToolHome, login: Login, code: int = 0, options: Sequence[str] = ()) -> str:
        """Upload the prepared files of the home, with further options; return the tool's output."""
        files = sorted(str(path) for path in (home.folder / "dist").iterdir()) if self.takes_files else []
        return home.run(*self.command, *options, *files, code=code, **self.variables(login))


def prepare(home: ToolHome, name: str, version: str = "1.0", seed: int = 0) -> None:
    """Write a project into the home, with a wheel and an sdist in ``dist``; another seed makes other files."""
    home.write("pyproject.toml", PROJECT.format(name=name, version=version))
    home.write(f"{package_name(name)}.py", MODULE.format(version=version), f"SEED = {seed}")
    (home.folder / "dist").mkdir(exist_ok=True)
    for make in (wheel, sdist):
        made = make(name, version, requires_python=">=3.8", seed=seed)
        (home.folder / "dist" / made.filename).write_bytes(made.content)


UPLOADERS = {
    "twine": Uploader(
        ("twine", "upload", "--disable-progress-bar"),  # twine 1 knows no --non-interactive
        lambda login: {
            "TWINE_REPOSITORY_URL": login.index,
            "TWINE_USERNAME": login.user,
            "TWINE_PASSWORD": login.secret,
        },
        takes_files=True,
    ),
    "uv": Uploader(
        ("uv", "publish", "--trusted-publishing", "never"),
        lambda login: {
            "UV_PUBLISH_URL": login.index,
            "UV_PUBLISH_USERNAME": login.user,
            "UV_PUBLISH_PASSWORD": login.secret,
        },
        takes_files=True,
    ),
    "flit": Uploader(
        ("flit", "publish"),
        lambda login: {"FLIT_INDEX_URL": login.index, "FLIT_USERNAME": login.user, "FLIT_PASSWORD": login.secret},
    ),
    "hatch": Uploader(
        ("hatch", "publish", "--no-prompt"),
        lambda login: {
            "HATCH_INDEX_REPO": login.index,
            "HATCH_INDEX_USER": login.user,
            "HATCH_INDEX_AUTH": login.secret,
        },
    ),
    "poetry": Uploader(
        ("poetry", "publish", "--no-interaction", "--repository", "private"),
        lambda login: {
            "POETRY_REPOSITORIES_PRIVATE_URL": login.index,
            "POETRY_HTTP_BASIC_PRIVATE_USERNAME": login.user,
            "POETRY_HTTP_BASIC_PRIVATE_PASSWORD": login.secret,
        },
    ),
    "pdm": Uploader(
        ("pdm", "publish", "--no-build"),
        lambda login: {
            "PDM_PUBLISH_REPO": login.index,
            "PDM_PUBLISH_USERNAME": login.user,
            "PDM_PUBLISH_PASSWORD": login.secret,
        },
    ),
}
