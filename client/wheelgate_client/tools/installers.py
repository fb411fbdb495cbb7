"""pip and uv: where they are, how they are called, and how they are told the index without anybody seeing the login."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wheelgate_client.errors import ClientError
from wheelgate_client.server import urls
from wheelgate_client.serverinfo import ServerInfo
from wheelgate_client.session import Session
from wheelgate_client.tools import venvs


@dataclass(frozen=True, slots=True)
class Installer:
    """A program that installs, and the words that a call of it begins and ends with."""

    program: tuple[str, ...]
    target: tuple[str, ...]
    """The options that say where to."""

    def command(self, action: str, *arguments: str) -> list[str]:
        """Return the whole call."""
        return [*self.program, action, *self.target, *arguments]


def chosen(options: argparse.Namespace, session: Session) -> tuple[Installer, str | None]:
    """Return the installer, and the virtual environment that it installs into; None: where pip itself is installed.

    Raises:
        ClientError: if there is none.
    """
    directory = options.venv or session.current.venvdir or session.active_venv
    venv = None if directory is None or directory == "-" else venvs.found(directory)
    pip = shutil.which("pip") if venv is None else _existing(venv / "bin" / "pip")
    if options.installer == "pip" or (options.installer is None and pip is not None):
        if pip is None:
            raise ClientError(f"no pip in {venv or 'PATH'}: install it there, or use --installer uv")
        return Installer((pip,), ()), directory
    uv = shutil.which("uv")
    if uv is None:
        raise ClientError(f"no pip in {venv or 'PATH'}, and no uv in PATH: install one of them")
    target = ("--system",) if venv is None else ("--python", str(venv / "bin" / "python"))
    return Installer((uv, "pip"), target), directory


def environment(session: Session, info: ServerInfo) -> dict[str, str]:
    """Return the variables that make pip and uv install from an index, with the login in them.

    A login that the server does not accept any more is left out: what everybody may read is had without.

    Raises:
        ClientError: if the server does not say where its simple index is.
    """
    if info.simpleindex is None:
        raise ClientError(f"the server does not say where the simple index of {info.index} is")
    credentials = session.credentials(info.simpleindex)
    login = credentials.basic
    if login is None and info.rejected is None and credentials.username and credentials.token:
        login = (credentials.username, credentials.token)
    url = urls.with_credentials(info.simpleindex, login)
    variables = {"PIP_INDEX_URL": url, "UV_DEFAULT_INDEX": url}
    if urls.is_insecure(url):
        host = str(urlsplit(url).hostname)
        variables |= {"PIP_TRUSTED_HOST": host, "UV_INSECURE_HOST": host}
    return variables


def _existing(path: Path) -> str | None:
    return str(path) if path.exists() else None
