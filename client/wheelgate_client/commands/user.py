"""Create, show, modify, delete and list users; without an option, show the user or change what is given."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from wheelgate_client import keyvalues, passwords
from wheelgate_client.errors import ClientError, UsageError
from wheelgate_client.server import config_values as values

if TYPE_CHECKING:
    from wheelgate_client.session import Session

SECRETS = frozenset({"password", "pwhash"})


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument("-c", "--create", action="store_true", help="create the user")
    action.add_argument("-m", "--modify", action="store_true", help="change what is given")
    action.add_argument("-l", "--list", action="store_true", help="list the names of all users")
    action.add_argument("--delete", action="store_true", help="delete the user, and the indices that belong to it")
    passwords.add_stdin_option(parser, "user's password")
    parser.add_argument("arguments", nargs="*", metavar="NAME|KEY=VALUE", help="keys: email password title description")


def run(options: argparse.Namespace, session: Session) -> int:
    """Do what the options say."""
    name, settings = keyvalues.split_name(options.arguments)
    changes = keyvalues.as_dict(settings)
    if options.list:
        if options.arguments:
            raise UsageError("devpi user: error: -l lists all users, it takes no name")
        _list(session)
        return 0
    if options.create or options.delete:
        if name is None:
            raise ClientError("need to specify a username")
        if options.delete and changes:
            raise ClientError("cannot delete if you specify key=values")
    if options.password_stdin:
        changes["password"] = session.terminal.read_secret()
    if options.create:
        _create(session, named_or_current(session, name), changes)
    elif options.delete:
        _delete(session, named_or_current(session, name))
    elif options.modify or changes:
        modify(session, named_or_current(session, name), changes)
    else:
        _show(session, named_or_current(session, name))
    return 0


def named_or_current(session: Session, name: str | None) -> str:
    """Return the name given, or that of the user logged in.

    Raises:
        ClientError: if there is neither.
    """
    username = name or session.username
    if username is None:
        raise ClientError("no user specified and no user currently active")
    return username


def modify(session: Session, username: str, changes: Mapping[str, str]) -> None:
    """Change these settings of a user; who changes the own password stays logged in."""
    url = session.user_url(username)
    session.api.get(url).result("userconfig")
    for key, value in sorted(changes.items()):
        session.terminal.line(f"/{username} changing {key}: {'********' if key in SECRETS else value}")
    login = session.api.send("PATCH", url, dict(changes)).login()
    session.terminal.line(f"user modified: {username}")
    if login is not None:
        session.auth_file.renew(session.root, username, login.token)


def _create(session: Session, username: str, settings: dict[str, str]) -> None:
    url = session.user_url(username)
    if "password" not in settings:
        settings["password"] = passwords.ask_new(session, username)
    session.api.send("PUT", url, settings)
    session.terminal.line(f"user created: {username}")


def _delete(session: Session, username: str) -> None:
    url = session.user_url(username)
    session.terminal.line(f"About to remove: <URL '{url}'>")
    if session.confirm("Are you sure"):
        session.api.send("DELETE", url)
        session.terminal.line(f"user deleted: {username}")
        if username in session.auth_file.tokens(session.root):
            session.auth_file.log_off(session.root, username)


def _show(session: Session, username: str) -> None:
    url = session.user_url(username)
    config = session.api.get(url).result("userconfig")
    session.terminal.line(f"{url}:")
    for line in values.lines(config, without=("username", "indexes")):
        session.terminal.line(line)


def _list(session: Session) -> None:
    # Backwards, because that is how the session that specifies this command shows it.
    for name in sorted(session.api.get(session.root).result("list:userconfig"), reverse=True):
        session.terminal.line(name)
