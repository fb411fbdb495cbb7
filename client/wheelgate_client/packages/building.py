"""Makes release files and documentation of the project in a folder, with the tools that people use for that."""

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
from wheelgate_client.packages.distributions import DOCUMENTATION, Distribution
from wheelgate_client.terminal import Terminal
from wheelgate_client.tools import programs


@dataclass(frozen=True, slots=True)
class Settings:
    """How to build."""

    python: str
    """The interpreter that runs ``-m build`` and ``-m sphinx``."""
    sdist: bool
    wheel: bool
    isolated: bool
    exported: bool
    """Build from a copy of the files that git has under control, so that nothing else gets into the release."""
    with_repository: bool
    """Let the copy know the history, which tools like setuptools-scm derive the version from."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project, exported if that was asked for, and a folder for what is made of it."""

    folder: Path
    workdir: Path
    settings: Settings
    terminal: Terminal

    def release_files(self) -> list[Distribution]:
        """Build sdist and wheel, or the one that was asked for.

        Raises:
            ClientError: if that fails.
        """
        chosen = [flag for flag, on in (("--sdist", self.settings.sdist), ("--wheel", self.settings.wheel)) if on]
        return self._build("dist", chosen)

    def documentation(self, built: Sequence[Distribution]) -> Distribution:
        """Build the documentation with Sphinx; its name and version are those of what is ``built``.

        Raises:
            ClientError: if that fails, or there is no documentation.
        """
        source = next((path for path in self._sources() if (path / "conf.py").is_file()), None)
        if source is None:
            raise ClientError(f"no conf.py of Sphinx in docs or doc of {self.folder}; leave out --with-docs")
        html = self.workdir / "html"
        self._run("sphinx", "-E", "-b", "html", str(source), str(html))
        release = next(iter(built), None) or self._build("named", ["--sdist"])[0]
        stem = re.sub(r"[-_.]+", "_", release.name)
        return distributions.read(_packed(html, self.workdir / f"{stem}-{release.version}{DOCUMENTATION}"))

    def _sources(self) -> list[Path]:
        return [self.folder / "docs", self.folder / "docs" / "source", self.folder / "doc", self.folder / "doc/source"]

    def _build(self, name: str, arguments: Sequence[str]) -> list[Distribution]:
        target = self.workdir / name
        isolation = [] if self.settings.isolated else ["--no-isolation"]
        self._run("build", *arguments, *isolation, "--outdir", str(target), str(self.folder))
        return [distributions.read(path) for path in distributions.found_in(target)]

    def _run(self, module: str, *arguments: str) -> None:
        python = self.settings.python
        # Looked for in an empty folder: a folder 'build' in the project is no such module.
        look = [python, "-c", f"import importlib.util as u, sys; sys.exit(u.find_spec('{module}.__main__') is None)"]
        if programs.run(look, cwd=self.workdir, quiet=True) != 0:
            raise ClientError(
                f"'{python}' has no module '{module}': install it there with 'pip install {module}',"
                " or name another interpreter with --python"
            )
        command = [python, "-m", module, *arguments]
        self.terminal.line(f"--> {self.folder}$ {programs.shown(command)}")
        # git, asked for a version by the build, must not touch the index of the repository that was exported.
        environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
        if programs.run(command, cwd=self.folder, environ=environment) != 0:
            raise ClientError("command failed")


def project(folder: Path, workdir: Path, settings: Settings, terminal: Terminal) -> Project:
    """Return the project in a folder.

    Raises:
        ClientError: if there is none.
    """
    if not _is_project(folder):
        raise ClientError(f"{folder} is no Python project: it has no pyproject.toml or setup.py; name files to upload")
    terminal.line(f"using workdir {workdir}")
    top = _repository(folder) if settings.exported else None
    if top is None:
        return Project(folder, workdir, settings, terminal)
    copy = workdir / "source" / top.name
    _export(top, copy)
    exported = copy / folder.relative_to(top)
    if not _is_project(exported):
        raise ClientError(f"git does not track the pyproject.toml of {folder}: add it, or build with --no-vcs")
    if settings.with_repository:
        _lend_history(top, copy)
    return Project(exported, workdir, settings, terminal)


def _is_project(folder: Path) -> bool:
    return (folder / "pyproject.toml").is_file() or (folder / "setup.py").is_file()


def _repository(folder: Path) -> Path | None:
    """Return the top of the git repository that has the folder under control, or None.

    Raises:
        ClientError: if git does not tell, for the owner is another one or git is missing: what lies about untracked
            must not get into a release unseen.
    """
    if not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return None
    found = _git(folder, "rev-parse", "--show-toplevel")
    if found is None:
        raise ClientError(f"git does not tell which files of {folder} it tracks (see 'git status'); or use --no-vcs")
    if not _git(folder, "ls-files", "-z"):
        return None
    return Path(os.fsdecode(found.rstrip(b"\n")))


def _export(top: Path, copy: Path) -> None:
    for name in (_git(top, "ls-files", "-z", "--recurse-submodules") or b"").split(b"\0"):
        source, target = top / os.fsdecode(name), copy / os.fsdecode(name)
        if name and os.path.lexists(source):
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir() and not source.is_symlink():
                target.mkdir(exist_ok=True)
            else:
                shutil.copy2(source, target, follow_symlinks=False)


def _lend_history(top: Path, copy: Path) -> None:
    """Point at the history instead of copying it: that of a large project weighs more than its files."""
    directory = _git(top, "rev-parse", "--absolute-git-dir")
    if directory is not None:
        (copy / ".git").write_bytes(b"gitdir: " + directory)


def _git(folder: Path, *arguments: str) -> bytes | None:
    if shutil.which("git") is None:
        return None
    result = subprocess.run(  # noqa: S603 - the arguments are ours
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - people have git where they have it
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return result.stdout if result.returncode == 0 else None


def _packed(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(folder))
    return archive
