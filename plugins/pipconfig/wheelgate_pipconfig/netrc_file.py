"""The writer of ``~/.netrc``, whose logins pip, uv, pdm and others send by themselves."""

from __future__ import annotations

import netrc
import os
import re
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from wheelgate_client.hookspecs import ConfigError, Edit, Location, Target
from wheelgate_pipconfig import config_files as files
from wheelgate_pipconfig import netrc_text, urls

Logins = dict[str, tuple[str, str, str]]
"""User, account and password by host, as Python reads them."""


class NetrcWriter:
    """Keeps the login at the index's host in one ``machine`` line."""

    name = "netrc"

    def location(self, venv: Path | None) -> Location | None:
        """Name ``NETRC`` or the user's file."""
        if venv is not None:
            return None
        path = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
        return Location(path, files.label(path), shown=False, by_name_only=True, keeps_login=True)

    def read(self, path: Path) -> str | None:
        """Return the logins without their passwords."""
        text = _load(path).text
        found = netrc_text.entries(text)
        return ", ".join(f"{entry.value(text, 'login')} at {entry.machine or 'any host'}" for entry in found) or None

    def plan(self, path: Path, target: Target) -> Edit:
        """Set the login of the host, whatever it was.

        Raises:
            ConfigError: No login is to be stored, and there is nothing else to write.
        """
        if target.username is None or target.password is None:
            raise ConfigError(
                f"{path} is left alone: it holds nothing but logins with their passwords. If yours is to be stored"
                " there, say so by --with-login."
            )
        source = _load(path)
        host = _host(urls.checked(target.simple_url))
        login, password = _checked(target.username), _checked(target.password)
        logins = _logins(source.text)
        logins[host] = (login, logins.get(host, ("", "", ""))[1], password)
        return _edit(source, netrc_text.with_login(source.text, host, login, password), logins)

    def unplan(self, path: Path, server_url: str) -> Edit:
        """Take the login of the server's host out."""
        source = _load(path)
        host = _host(server_url)
        logins = {machine: login for machine, login in _logins(source.text).items() if machine != host}
        return _edit(source, netrc_text.without_machine(source.text, host), logins)


def _load(path: Path) -> files.Source:
    source = files.load(path)
    try:
        _logins(source.text)
    except netrc.NetrcParseError as error:
        # The message of the library repeats the word, which may be a password.
        raise ConfigError(
            f"{path} cannot be used, Python would refuse it and every login in it: line {error.lineno} has a word out"
            " of place, or it is a comment below an empty line. Correct it or take it out."
        ) from None
    return source


def _edit(source: files.Source, text: str, logins: Logins) -> Edit:
    try:
        is_read = _logins(text) == logins
    except netrc.NetrcParseError:
        is_read = False
    if not is_read:
        # Whether Python takes a comment for one hangs on what stands above it.
        raise ConfigError(
            f"{source.path} is left alone: after the edit Python would misread a comment in it. Take out the comments"
            " next to the entry, or edit the file by hand."
        )
    secrets = netrc_text.passwords(source.text) | netrc_text.passwords(text)
    return source.edit(text, has_secret=True, secrets=secrets)


def _logins(text: str) -> Logins:
    # Python's reader takes files only, so it gets one that has no name.
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        return dict(netrc.netrc(os.dup(file.fileno())).hosts)  # type: ignore[arg-type]


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _checked(value: str) -> str:
    if not re.fullmatch(r"[!$-\[\]-~][!#-\[\]-~]*", value):
        raise ConfigError(
            "The user name or the password has a character that not every reader of netrc takes as it is: a blank, a"
            " quote, a backslash, a # at its beginning, or one beyond ASCII. Use a keyring instead."
        )
    return value
