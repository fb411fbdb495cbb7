"""Downloads release files, and runs tox on each with the configuration in the project's sdist."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wheelgate_client.context import ClientContext
from wheelgate_client.errors import ClientError
from wheelgate_client.packages.digests import DigestVerifier
from wheelgate_client.packages.distributions import SDIST_SUFFIXES, WHEEL_SUFFIX
from wheelgate_client.packages.releases import ProjectRelease, ReleaseLink
from wheelgate_client.packages.unpacking import unpack_sdist
from wheelgate_client.server import urls
from wheelgate_client.tools import programs

_PURE_PYTHON_3_WHEEL = re.compile(r"-(py2\.)?py3-none-any\.whl")
"""The end of the name of a wheel that every Python 3 can install."""


@dataclass(frozen=True, slots=True)
class ToxRun:
    """Tests files of one release in a folder for downloads."""

    context: ClientContext
    options: argparse.Namespace
    folder: Path
    variables: Mapping[str, str]
    """The environment variables that make installers use the index."""

    def test(self, release: ProjectRelease, files: list[ReleaseLink]) -> bool:
        """Test these files of a release; return whether all passed.

        Raises:
            ClientError: if tox cannot be run at all.
        """
        source = self._unpack_sources(release)
        failed = [file for file in files if not self._run_tox(file, source)]
        return not failed

    def _unpack_sources(self, release: ProjectRelease) -> Path:
        """Unpack the sdist: it contains the tests and their configuration, for a wheel too."""
        sdist = next((link for link in release.files if link.filename.endswith(SDIST_SUFFIXES)), None)
        if sdist is None:
            raise ClientError(f"version {release.version} has no sdist, so there are no tests to run")
        archive, target = self._download(sdist), self.folder / "source"
        self.context.terminal.print_line(f"unpacking {archive} to {target}")
        return unpack_sdist(archive, target)

    def _download(self, link: ReleaseLink) -> Path:
        path = self.folder / link.filename
        if path.exists():
            return path
        verifier = DigestVerifier(link.digests)
        with path.open("wb") as file:

            def write(chunk: bytes) -> None:
                verifier.update(chunk)
                file.write(chunk)

            self.context.api.download(link.href, write)
        if wrong := verifier.mismatch():
            raise ClientError(f"{link.href} is not the file that the index lists: its {wrong[0]} is {wrong[1]}")
        self.context.terminal.print_line(f"received {link.href}")
        return path

    def _run_tox(self, file: ReleaseLink, source: Path) -> bool:
        archive = self._download(file)
        report = self.folder / f"{file.filename}.json"
        tox = shutil.which("tox")
        if tox is None:
            installer = "pip install" if shutil.which("uv") is None else "uv tool install"
            raise ClientError(f"tox is not in PATH: type '{installer} tox'")
        command = [tox, "--installpkg", str(archive), "--recreate", "--result-json", str(report)]
        command += self._configuration_options(source)
        for name in self.options.environments:
            command += ["-e", name]
        command += shlex.split(self.options.tox_args or "")
        self.context.terminal.print_line(f"--> {source}$ {programs.printable_command(command)}")
        passed = programs.run_program(command, cwd=source, environ={**self.context.environ, **self.variables}) == 0
        if not self.options.no_upload:
            self._upload_report(file, report)
        return passed

    def _configuration_options(self, source: Path) -> list[str]:
        """Return the options that make tox read the right configuration and stay in the package's folder."""
        if self.options.config is not None:
            return ["--root", str(source), "-c", str((source / self.options.config).resolve())]
        if _is_configured(source):
            return []
        if self.options.fallback_ini is None:
            raise ClientError("the package has no tox.ini: name a configuration with --fallback-ini")
        fallback = Path(self.options.fallback_ini)
        try:
            shutil.copy(fallback, source / f"tox{fallback.suffix}")
        except OSError as error:
            raise ClientError(f"cannot read {fallback}: {error.strerror}") from None
        return []

    def _upload_report(self, file: ReleaseLink, report: Path) -> None:
        try:
            result = json.loads(self._without_login(report.read_text("utf-8")))
        except (OSError, ValueError):
            raise ClientError("tox wrote no report, so nothing was posted") from None
        self.context.terminal.print_line(f"posting tox result data to {file.href}")
        self.context.api.send("POST", file.href, result)
        self.context.terminal.print_line("success")

    def _without_login(self, text: str) -> str:
        """Mask the login in the output of the commands, because everybody may read the report."""
        for url in self.variables.values():
            text = text.replace(url, urls.mask_passwords(url))
        return text


def select_files(release: ProjectRelease, selector: str | None) -> list[ReleaseLink]:
    """Return the files of a release to test: those that ``selector`` matches, by default sdist and pure wheel.

    Raises:
        ClientError: if the selector is not a regular expression.
    """
    try:
        pattern = re.compile(selector or "")
    except re.error as error:
        raise ClientError(f"'{selector}' is not a regular expression: {error}") from None
    files = [link for link in release.files if link.filename.isprintable()]
    if selector is not None:
        return [
            link
            for link in files
            if pattern.search(link.filename) and link.filename.endswith((WHEEL_SUFFIX, *SDIST_SUFFIXES))
        ]
    return [
        link for link in files if _PURE_PYTHON_3_WHEEL.search(link.filename) or link.filename.endswith(SDIST_SUFFIXES)
    ]


def _is_configured(source: Path) -> bool:
    """Tell whether tox finds a configuration by itself."""
    if (source / "tox.ini").is_file() or (source / "tox.toml").is_file():
        return True
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(source / "setup.cfg", encoding="utf-8")
        pyproject: dict[str, Any] = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))
    except FileNotFoundError:
        pyproject = {}
    except (ConfigParserError, ValueError) as error:
        raise ClientError(f"the configuration of the package cannot be read: {error}") from None
    return parser.has_section("tox:tox") or "tox" in pyproject.get("tool", {})
