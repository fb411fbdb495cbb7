"""Builds release files with ``build`` or uv, and documentation with Sphinx, from the project in a folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wheelgate_client.errors import ClientError
from wheelgate_client.packages import distributions
from wheelgate_client.packages.distributions import DOCUMENTATION_SUFFIXES, Distribution
from wheelgate_client.terminal import Terminal
from wheelgate_client.tools import programs


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """How to build."""

    python: str
    """The interpreter that runs ``-m build`` and ``-m sphinx``, or that uv builds with."""
    sdist: bool
    wheel: bool
    isolated: bool
    exported: bool
    """Build from a copy of the files that git tracks, which keeps other files out of the release."""
    with_repository: bool
    """Give the copy access to the git history, from which tools such as setuptools-scm derive the version."""


@dataclass(frozen=True, slots=True)
class SourceTree:
    """A project to build, exported if the settings say so, and a folder for the results."""

    folder: Path
    workdir: Path
    settings: BuildSettings
    terminal: Terminal

    def release_files(self) -> list[Distribution]:
        """Build sdist and wheel, or the one that the settings ask for.

        Raises:
            ClientError: if the build fails.
        """
        flags = [flag for flag, on in (("--sdist", self.settings.sdist), ("--wheel", self.settings.wheel)) if on]
        return self._build("dist", flags)

    def documentation(self, built: Sequence[Distribution]) -> Distribution:
        """Build the documentation with Sphinx; take its name and version from the first of the ``built`` files.

        Raises:
            ClientError: if the build fails, or there is no documentation.
        """
        source = next((path for path in self._documentation_folders() if (path / "conf.py").is_file()), None)
        if source is None:
            raise ClientError(f"no Sphinx conf.py in docs or doc of {self.folder}; leave out --with-docs")
        html = self.workdir / "html"
        if not self._has_module("sphinx"):
            raise ClientError(self._missing("sphinx"))
        self._run(self.settings.python, "-m", "sphinx", "-E", "-b", "html", str(source), str(html))
        release = next(iter(built), None) or self._build("named", ["--sdist"])[0]
        stem = re.sub(r"[-_.]+", "_", release.name)
        return distributions.read_distribution(
            _zip_folder(html, self.workdir / f"{stem}-{release.version}{DOCUMENTATION_SUFFIXES[0]}")
        )

    def _documentation_folders(self) -> list[Path]:
        return [self.folder / "docs", self.folder / "docs" / "source", self.folder / "doc", self.folder / "doc/source"]

    def _build(self, name: str, arguments: Sequence[str]) -> list[Distribution]:
        target = self.workdir / name
        python, uv = self.settings.python, shutil.which("uv")
        if self._has_module("build"):
            isolation = [] if self.settings.isolated else ["--no-isolation"]
            self._run(python, "-m", "build", *arguments, *isolation, "--outdir", str(target), str(self.folder))
        elif uv is not None:
            isolation = [] if self.settings.isolated else ["--no-build-isolation"]
            options = [*arguments, *isolation, "--python", python, "--out-dir", str(target)]
            self._run(uv, "build", *options, str(self.folder))
        else:
            raise ClientError(self._missing("build"))
        return [distributions.read_distribution(path) for path in distributions.find_archives(target)]

    def _has_module(self, module: str) -> bool:
        search = f"import importlib.util as u, sys; sys.exit(u.find_spec('{module}.__main__') is None)"
        # Search from an empty folder: there, a folder 'build' in the project is not taken for the module.
        return programs.run_program([self.settings.python, "-c", search], cwd=self.workdir, quiet=True) == 0

    def _missing(self, module: str) -> str:
        python = self.settings.python
        # An environment that uv has made contains no pip.
        installer = [python, "-m", "pip", "install"]
        if shutil.which("uv") is not None:
            installer = ["uv", "pip", "install", "--python", python]
        return (
            f"'{python}' has no module '{module}': type '{programs.printable_command([*installer, module])}',"
            " or name another interpreter with --python"
        )

    def _run(self, *command: str) -> None:
        self.terminal.print_line(f"--> {self.folder}$ {programs.printable_command(command)}")
        # The build may ask git for a version; git must not touch the index of the exported repository then.
        environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
        if programs.run_program(command, cwd=self.folder, environ=environment) != 0:
            raise ClientError("command failed")


def prepare_source_tree(folder: Path, workdir: Path, settings: BuildSettings, terminal: Terminal) -> SourceTree:
    """Check the project in a folder, and export it if the settings say so.

    Raises:
        ClientError: if the folder contains no project, or git does not track it.
    """
    if not _is_project(folder):
        raise ClientError(
            f"{folder} is not a Python project: it has no pyproject.toml or setup.py; name files to upload"
        )
    terminal.print_line(f"using workdir {workdir}")
    top = _repository_top(folder) if settings.exported else None
    if top is None:
        return SourceTree(folder, workdir, settings, terminal)
    copy = workdir / "source" / top.name
    _export(top, copy)
    exported = copy / folder.relative_to(top)
    if not _is_project(exported):
        raise ClientError(f"git does not track the pyproject.toml of {folder}: add it, or build with --no-vcs")
    if settings.with_repository:
        _link_history(top, copy)
    return SourceTree(exported, workdir, settings, terminal)


def _is_project(folder: Path) -> bool:
    return (folder / "pyproject.toml").is_file() or (folder / "setup.py").is_file()


def _repository_top(folder: Path) -> Path | None:
    """Return the top folder of the git repository that tracks files in the folder, or None.

    Raises:
        ClientError: if git is missing or refuses, for example because of another owner: untracked files must not get
            into a release unnoticed.
    """
    if not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return None
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        raise ClientError(f"git cannot list the files of {folder} that it tracks: see 'git status', or use --no-vcs")
    if not _git(folder, "ls-files", "-z"):
        return None
    return Path(os.fsdecode(top.rstrip(b"\n")))


def _export(top: Path, copy: Path) -> None:
    for name in (_git(top, "ls-files", "-z", "--recurse-submodules") or b"").split(b"\0"):
        source, target = top / os.fsdecode(name), copy / os.fsdecode(name)
        if name and os.path.lexists(source):
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir() and not source.is_symlink():
                target.mkdir(exist_ok=True)
            else:
                shutil.copy2(source, target, follow_symlinks=False)


def _link_history(top: Path, copy: Path) -> None:
    """Point at the history instead of copying it: in a large project it is bigger than the files."""
    directory = _git(top, "rev-parse", "--absolute-git-dir")
    if directory is not None:
        (copy / ".git").write_bytes(b"gitdir: " + directory)


def _git(folder: Path, *arguments: str) -> bytes | None:
    if shutil.which("git") is None:
        return None
    result = subprocess.run(  # noqa: S603 - the client chooses the arguments
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - git may be anywhere in PATH
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return result.stdout if result.returncode == 0 else None


def _zip_folder(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(folder))
    return archive
