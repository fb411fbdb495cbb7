"""``devpi-server passwd USER``: set a password on the server's own machine, without the old one."""

from __future__ import annotations

import argparse
import secrets

from wheelgate.commands.context import ServerContext
from wheelgate.commands.password_input import add_password_stdin, read_password
from wheelgate.errors import StartupError
from wheelgate.server import Server
from wheelgate.values import ROOT, User


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("user", metavar="USER", help="name of the user")
    add_password_stdin(parser)


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Set the password of a user; all sessions of the user end, on a running server too.

    Before the first start this makes the server's folder and database, so that root has a password from the beginning.
    """
    name = arguments.user
    if context.was_started():
        with context.open_server() as server:
            user = find(server, name)
            set_password(server, user, ask(arguments))
    else:
        if name != ROOT:
            context.require_started_server()
        password = ask(arguments)  # before anything is made, so that nothing is left if nobody answers
        with context.make_server() as server:
            set_password(server, find(server, name), password)
    print(f"password of user '{name}' set")
    return 0


def find(server: Server, name: str) -> User:
    """Return a user whose password is kept here.

    Raises:
        StartupError: there is no such user, or the user logs in elsewhere.
    """
    user = server.users.get(name)
    if user is None:
        raise StartupError(
            f"there is no user {name!a} on this server; 'devpi user -l' lists its users, and --serverdir, "
            "--database or --config name another one"
        )
    if user.provider:
        raise StartupError(f"user '{name}' logs in through '{user.provider}'; change the password there")
    return user


def ask(arguments: argparse.Namespace) -> str:
    """Read the new password."""
    return read_password(f"new password for user {arguments.user}", from_stdin=arguments.password_stdin, repeat=True)


def set_password(server: Server, user: User, password: str) -> None:
    """Check, hash and store a password; the new stamp ends the user's sessions."""
    stored = server.hash_password(user.name, password)
    with server.database.transaction():
        server.users.set_password_hash(user, stored, secrets.token_urlsafe(12))
