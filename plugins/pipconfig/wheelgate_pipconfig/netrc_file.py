"""The writer of ``~/.netrc``; pip, uv, pdm and other tools send the logins in it automatically."""

from __future__ import annotations

import netrc
import os
import re
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from wheelgate_client.hookspecs import ConfigError, Edit, Location, Target
from wheelgate_pipconfig import config_files, netrc_text, urls

Logins = dict[str, tuple[str, str, str]]
"""User, account and password by host, as Python reads them."""


class NetrcWriter:
    """Keeps the login at the index's host in one ``machine`` line."""

    name = "netrc"

    def location(self, venv: Path | None) -> Location | None:
        """Return the file that ``NETRC`` names, or the user's file."""
        if venv is not None:
            return None
        path = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
        return Location(
            path, config_files.path_label(path), listed_when_unset=False, by_name_only=True, stores_login=True
        )

    def status(self, path: Path) -> str | None:
        """Return the logins without their passwords."""
        text = _load(path).text
        found = netrc_text.parse_entries(text)
        return ", ".join(f"{entry.value(text, 'login')} at {entry.machine or 'any host'}" for entry in found) or None

    def plan(self, path: Path, target: Target) -> Edit:
        """Set the login of the host; replace the previous one.

        Raises:
            ConfigError: There is no login to store.
        """
        if target.username is None or target.password is None:
            raise ConfigError(
                f"{path} is left alone: it only contains logins with their passwords. Add --with-login to store"
                " yours there."
            )
        source = _load(path)
        host = _host(urls.checked_url(target.simple_url))
        login, password = _checked_word(target.username), _checked_word(target.password)
        logins = _logins(source.text)
        logins[host] = (login, logins.get(host, ("", "", ""))[1], password)
        return _edit(source, netrc_text.with_login(source.text, host, login, password), logins)

    def plan_removal(self, path: Path, server_url: str) -> Edit:
        """Remove the login of the server's host."""
        source = _load(path)
        host = _host(server_url)
        logins = {machine: login for machine, login in _logins(source.text).items() if machine != host}
        return _edit(source, netrc_text.without_machine(source.text, host), logins)


def _load(path: Path) -> config_files.TextFile:
    source = config_files.load_text_file(path)
    try:
        _logins(source.text)
    except netrc.NetrcParseError as error:
        # The error of the library repeats the word, which may be a password.
        raise ConfigError(
            f"{path} cannot be used, Python would refuse it and every login in it: line {error.lineno} has a"
            " misplaced word, or it is a comment below an empty line. Correct it or remove it."
        ) from None
    return source


def _edit(source: config_files.TextFile, text: str, logins: Logins) -> Edit:
    try:
        is_unambiguous = _logins(text) == logins
    except netrc.NetrcParseError:
        is_unambiguous = False
    if not is_unambiguous:
        # Python recognizes a comment only after certain lines.
        raise ConfigError(
            f"{source.path} is left alone: after the edit Python would misread a comment in it. Remove the comments"
            " next to the entry, or edit the file by hand."
        )
    secrets = netrc_text.passwords(source.text) | netrc_text.passwords(text)
    return source.edit(text, has_secret=True, secrets=secrets)


def _logins(text: str) -> Logins:
    # The parser in Python only reads files, so it gets one without a name.
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        return dict(netrc.netrc(os.dup(file.fileno())).hosts)  # type: ignore[arg-type]


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _checked_word(value: str) -> str:
    if not re.fullmatch(r"[!$-\[\]-~][!#-\[\]-~]*", value):
        raise ConfigError(
            "The user name or the password has a character that some readers of netrc misread: a blank, a quote, a"
            " backslash, a # at the beginning, or a non-ASCII character. Use a keyring instead."
        )
    return value
