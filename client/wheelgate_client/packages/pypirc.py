"""External indices, as the file ``.pypirc`` of the packaging tools describes them."""

from __future__ import annotations

import configparser
from typing import Any

import py

from wheelgate_client.errors import ClientError, reason
from wheelgate_client.server import urls
from wheelgate_client.session import Session
from wheelgate_client.state.atomic import local


def target(path: str | None, name: str, session: Session) -> dict[str, Any]:
    """Return where to push and as whom; a password that the file does not hold is asked for.

    Raises:
        ClientError: if the file cannot be read, or does not describe the repository.
    """
    file = local(path or "~/.pypirc")
    section = _section(file, name)
    session.terminal.line(f"using pypirc {file}")
    url, username = section.get("repository"), section.get("username")
    if not url or not username:
        raise ClientError(f"section '{name}' of {file} needs a repository (its upload URL) and a username")
    if not urls.is_absolute(url):
        raise ClientError(f"section '{name}' of {file}: the repository '{urls.masked(url)}' is no URL")
    password = section.get("password")
    if password is None:
        password = session.plugins.password(url, username)
    if password is None:
        prompt = f"password for user {username} at {urls.masked(url)}: "
        password = session.terminal.secret(prompt, otherwise=f"a password in section '{name}' of {file}")
    return {"posturl": url, "username": username, "password": password}


def _section(file: py.path.local, name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)  # a password may have any character in it
    try:
        parser.read_string(file.read_text("utf-8"))
    except py.error.ENOENT:
        raise ClientError(f"no pypirc file found at: {file}") from None
    except OSError as error:
        raise ClientError(f"cannot read {file}: {reason(error)}") from None
    except (configparser.Error, UnicodeDecodeError) as error:
        # Neither the line nor the bytes are shown: they may hold a password.
        raise ClientError(f"{file} is damaged ({type(error).__name__}): correct it and try again") from None
    if not parser.has_section(name):
        known = ", ".join(section for section in parser.sections() if section != "distutils") or "none"
        raise ClientError(f"{file} has no section '{name}'; it has: {known}")
    return parser[name]
