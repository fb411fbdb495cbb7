"""``devpi-server passwd USER``: a new password from the server's own machine, without the old one."""

from __future__ import annotations

import getpass
import secrets
import sys
from pathlib import Path

from wheelgate.config import Config
from wheelgate.errors import BadInput, StartupError
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.plugin_host.vetoes import Objections
from wheelgate.process.startup import open_stores
from wheelgate.services.passwords import Passwords
from wheelgate.store.database import Database


def set_password(config: Config, plugins: Plugins, user: str, *, password_stdin: bool = False) -> int:
    """Set the password of a user; all its sessions end, on a running server too."""
    if config["database"] is None and not Path(config.database_url.removeprefix("sqlite:///")).exists():
        raise StartupError(f"no server was started in {config.serverdir} yet; name its folder with --serverdir")
    database = Database(config.database_url)
    try:
        server = open_stores(config, plugins, database)
        hasher = plugins.only("wheelgate_password_hasher", "a password hasher", needed=True, server=server)
        found = server.users.get(user)
        if found is None:
            raise StartupError(f"there is no user {user!a} on this server")
        if found.provider:
            raise StartupError(f"user '{user}' logs in by '{found.provider}'; change the password there")
        objections = Objections(server, plugins.implementations("wheelgate_check_password"), BadInput)
        passwords = Passwords(hasher, objections, loopback=config.loopback)
        stored = passwords.hash(user, ask(user, password_stdin=password_stdin))
        with database.transaction():
            server.users.set_password_hash(found, stored, secrets.token_urlsafe(12))
    finally:
        database.close()
    print(f"password of user '{user}' set")
    return 0


def ask(user: str, *, password_stdin: bool) -> str:
    """Read the new password, twice from a terminal and once from a pipe."""
    if password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise StartupError("there is no terminal to ask for the password; pipe it in with --password-stdin")
    first = getpass.getpass(f"new password for user {user}: ")
    if getpass.getpass(f"repeat new password for user {user}: ") != first:
        raise BadInput("the two passwords differ; nothing was changed")
    return first
