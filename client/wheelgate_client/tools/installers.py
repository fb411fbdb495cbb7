"""pip and uv: finds them, builds their command lines, and passes them the index without showing the login."""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wheelgate_client.context import ClientContext
from wheelgate_client.errors import ClientError
from wheelgate_client.server import urls
from wheelgate_client.server_info import ServerInfo
from wheelgate_client.tools import venvs


@dataclass(frozen=True, slots=True)
class Installer:
    """A program that installs packages, with the arguments that select it and its environment."""

    program: tuple[str, ...]
    target: tuple[str, ...]
    """The options that say where to install."""
    environment: Path | None
    """The folder of the environment to install into; None if it is not known."""

    def command(self, action: str, *arguments: str) -> list[str]:
        """Return the command line."""
        return [*self.program, action, *self.target, *arguments]


def choose_installer(options: argparse.Namespace, context: ClientContext) -> tuple[Installer, str | None]:
    """Return the installer and its virtual environment; None means the environment in which pip is installed.

    Raises:
        ClientError: if there is no installer.
    """
    directory = options.venv or context.selection.venvdir or context.active_venv
    venv = None if directory is None or directory == "-" else venvs.find_venv(directory)
    pip = shutil.which("pip") if venv is None else _path_if_exists(venv / "bin" / "pip")
    if options.installer == "pip" or (options.installer is None and pip is not None):
        if pip is None:
            raise ClientError(f"no pip in {venv or 'PATH'}: install it there, or use --installer uv")
        return Installer((pip,), (), venv or Path(pip).parent.parent), directory
    uv = shutil.which("uv")
    if uv is None:
        raise ClientError(f"no pip in {venv or 'PATH'}, and no uv in PATH: install one of them")
    target = ("--system",) if venv is None else ("--python", str(venv / "bin" / "python"))
    python = shutil.which("python3") or shutil.which("python")
    return Installer((uv, "pip"), target, venv or (Path(python).parent.parent if python else None)), directory


def refuse_own_environment(installer: Installer) -> None:
    """Refuse to install into the environment that this very program runs in, which may be that of the server too.

    Raises:
        ClientError: if the installer would do that; it could upgrade packages that the server needs.
    """
    if installer.environment is not None and installer.environment.resolve() == Path(sys.prefix).resolve():
        raise ClientError(
            f"{installer.environment} is the environment that devpi itself runs in; installing there could upgrade the"
            " packages that it and devpi-server need, so nothing was installed: create another environment with"
            " 'python3 -m venv ~/work', and type 'devpi install --venv ~/work', or add --into-own-environment"
        )


def index_variables(context: ClientContext, info: ServerInfo) -> dict[str, str]:
    """Return environment variables that make pip and uv install from an index; they contain the login.

    A login that the server does not accept any more is left out, because public packages need none.

    Raises:
        ClientError: if the server does not say where its simple index is.
    """
    if info.simpleindex is None:
        raise ClientError(f"the server does not say where the simple index of {info.index} is")
    login = context.credentials.login_for(info.simpleindex)
    username_and_password = login.basic
    if username_and_password is None and info.rejected is None and login.username and login.token:
        username_and_password = (login.username, login.token)
    url = urls.with_login(info.simpleindex, username_and_password)
    variables = {"PIP_INDEX_URL": url, "UV_DEFAULT_INDEX": url}
    if urls.is_insecure(url):
        host = str(urlsplit(url).hostname)
        variables |= {"PIP_TRUSTED_HOST": host, "UV_INSECURE_HOST": host}
    certificate = context.credentials.certificate_for(url)
    if certificate is not None:
        variables |= {"PIP_CLIENT_CERT": certificate, "SSL_CLIENT_CERT": certificate}
    return variables


def _path_if_exists(path: Path) -> str | None:
    return str(path) if path.exists() else None
