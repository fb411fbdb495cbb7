"""``devpi-server passwd USER``: set a password on the server's own machine, without the old one."""

from __future__ import annotations

import argparse
import secrets

from wheelgate.commands.context import ServerContext
from wheelgate.commands.password_input import add_password_stdin, read_password
from wheelgate.errors import StartupError


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("user", metavar="USER", help="name of the user")
    add_password_stdin(parser)


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Set the password of a user; all sessions of the user end, on a running server too."""
    name = arguments.user
    with context.open_server() as server:
        user = server.users.get(name)
        if user is None:
            raise StartupError(f"there is no user {name!a} on this server")
        if user.provider:
            raise StartupError(f"user '{name}' logs in by '{user.provider}'; change the password there")
        password = read_password(f"new password for user {name}", from_stdin=arguments.password_stdin, repeat=True)
        stored = server.hash_password(name, password)
        with server.database.transaction():
            server.users.set_password_hash(user, stored, secrets.token_urlsafe(12))
    print(f"password of user '{name}' set")
    return 0
