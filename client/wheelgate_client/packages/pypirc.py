"""External indices, as described in ``.pypirc``, the file that packaging tools share."""

from __future__ import annotations

import configparser
from typing import Any

import py

from wheelgate_client.context import ClientContext
from wheelgate_client.errors import ClientError, os_reason
from wheelgate_client.server import urls
from wheelgate_client.state.atomic_files import expanded_path


def read_push_target(path: str | None, name: str, context: ClientContext) -> dict[str, Any]:
    """Return upload URL, user name and password for a push; ask for the password if the file contains none.

    Raises:
        ClientError: if the file cannot be read, or does not describe the repository.
    """
    file = expanded_path(path or "~/.pypirc")
    section = _section(file, name)
    context.terminal.print_line(f"using pypirc {file}")
    url, username = section.get("repository"), section.get("username")
    if not url or not username:
        raise ClientError(f"section '{name}' of {file} needs a repository (its upload URL) and a username")
    if not urls.is_absolute(url):
        raise ClientError(f"section '{name}' of {file}: the repository '{urls.mask_passwords(url)}' is not a URL")
    password = section.get("password")
    if password is None:
        password = context.plugins.find_password(url, username)
    if password is None:
        prompt = f"password for user {username} at {urls.mask_passwords(url)}: "
        password = context.terminal.ask_secret(prompt, otherwise=f"a password in section '{name}' of {file}")
    return {"posturl": url, "username": username, "password": password}


def _section(file: py.path.local, name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)  # a password may contain any character
    try:
        parser.read_string(file.read_text("utf-8"))
    except py.error.ENOENT:
        raise ClientError(f"no pypirc file found at: {file}") from None
    except OSError as error:
        raise ClientError(f"cannot read {file}: {os_reason(error)}") from None
    except (configparser.Error, UnicodeDecodeError) as error:
        # The message shows neither the line nor the bytes: they may contain a password.
        raise ClientError(f"{file} is damaged ({type(error).__name__}): correct it and try again") from None
    if not parser.has_section(name):
        known = ", ".join(section for section in parser.sections() if section != "distutils") or "none"
        raise ClientError(f"{file} has no section '{name}'; it has: {known}")
    return parser[name]
