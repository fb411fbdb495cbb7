"""Downloads release files, and runs tox on each as the project's own configuration says."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shlex
import shutil
import tarfile
import tomllib
import zipfile
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wheelgate_client.errors import ClientError
from wheelgate_client.packages.distributions import SDISTS, WHEEL
from wheelgate_client.packages.releases import Link, Release
from wheelgate_client.server import urls
from wheelgate_client.session import Session
from wheelgate_client.tools import programs

UNIVERSAL = re.compile(r"-(py2\.)?py3-none-any\.whl")
"""What every Python 3 can install."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """A folder for what is downloaded and unpacked, and what all test runs share."""

    session: Session
    options: argparse.Namespace
    folder: Path
    variables: Mapping[str, str]
    """The environment variables that make installers use the index."""

    def test(self, release: Release, files: list[Link]) -> bool:
        """Test these files of a release; return whether all passed.

        Raises:
            ClientError: if tox cannot be run at all.
        """
        source = self._source(release)
        failed = [file for file in files if not self._passes(file, source)]
        return not failed

    def _source(self, release: Release) -> Path:
        """Unpack the sdist: it has the tests and their configuration, for a wheel too."""
        sdist = next((link for link in release.files if link.filename.endswith(SDISTS)), None)
        if sdist is None:
            raise ClientError(f"version {release.version} has no sdist, and so no tests that could be run")
        return self._unpacked(self._downloaded(sdist))

    def _downloaded(self, link: Link) -> Path:
        path = self.folder / link.filename
        if path.exists():
            return path
        digest = hashlib.sha256()
        with path.open("wb") as file:

            def take(chunk: bytes) -> None:
                digest.update(chunk)
                file.write(chunk)

            self.session.api.fetch(link.href, take)
        if link.sha256 is not None and link.sha256 != digest.hexdigest():
            raise ClientError(f"{link.href} is not what the index says it is: its sha256 is {digest.hexdigest()}")
        self.session.terminal.line(f"received {link.href}")
        return path

    def _unpacked(self, archive: Path) -> Path:
        target = self.folder / "source"
        self.session.terminal.line(f"unpacking {archive} to {target}")
        try:
            if archive.suffix == ".zip":
                shutil.unpack_archive(archive, target)
            else:
                shutil.unpack_archive(archive, target, filter="data")
        except (shutil.ReadError, tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
            raise ClientError(f"{archive.name} cannot be unpacked: {error}") from None
        inside = [path for path in target.iterdir() if path.is_dir()]
        if len(inside) != 1:
            raise ClientError(f"{archive.name} is no sdist: it holds {len(inside)} folders where one belongs")
        return inside[0]

    def _passes(self, file: Link, source: Path) -> bool:
        archive = self._downloaded(file)
        report = self.folder / f"{file.filename}.json"
        tox = shutil.which("tox")
        if tox is None:
            raise ClientError("tox is not installed: type 'pip install tox', or have it in PATH")
        command = [tox, "--installpkg", str(archive), "--recreate", "--result-json", str(report)]
        command += self._configuration(source)
        for name in self.options.environments:
            command += ["-e", name]
        command += shlex.split(self.options.tox_args or "")
        self.session.terminal.line(f"--> {source}$ {programs.shown(command)}")
        passed = programs.run(command, cwd=source, environ={**self.session.environ, **self.variables}) == 0
        if not self.options.no_upload:
            self._post(file, report)
        return passed

    def _configuration(self, source: Path) -> list[str]:
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

    def _post(self, file: Link, report: Path) -> None:
        try:
            result = json.loads(self._without_login(report.read_text("utf-8")))
        except (OSError, ValueError):
            raise ClientError("tox left no report, nothing was posted") from None
        self.session.terminal.line(f"posting tox result data to {file.href}")
        self.session.api.send("POST", file.href, result)
        self.session.terminal.line("success")

    def _without_login(self, text: str) -> str:
        """Take the login out of what the commands printed: everybody may read the report."""
        for url in self.variables.values():
            text = text.replace(url, urls.masked(url))
        return text


def selected(release: Release, selector: str | None) -> list[Link]:
    """Return the files of a release that are to be tested: those that ``selector`` finds, or sdist and pure wheel.

    Raises:
        ClientError: if the selector is no regular expression.
    """
    try:
        pattern = re.compile(selector or "")
    except re.error as error:
        raise ClientError(f"'{selector}' is no regular expression: {error}") from None
    files = [link for link in release.files if link.filename.isprintable()]
    if selector is not None:
        return [link for link in files if pattern.search(link.filename) and link.filename.endswith((WHEEL, *SDISTS))]
    return [link for link in files if UNIVERSAL.search(link.filename) or link.filename.endswith(SDISTS)]


def _is_configured(source: Path) -> bool:
    """Tell whether tox finds its configuration by itself."""
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
