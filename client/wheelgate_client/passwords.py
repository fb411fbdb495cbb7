"""Where passwords come from: options, environment, plugins and, last, the terminal."""

from __future__ import annotations

import argparse

from wheelgate_client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext

STRONG_PASSWORD_CHARS = 8
"""Shorter new passwords need a confirmation."""

MAX_NEW_PASSWORD_TRIES = 3
"""How often the terminal asks for a new password and its repetition."""


def add_password_options(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Add ``--password`` and ``--password-stdin``."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--password", help=f"{purpose}; other users of this machine can see it while devpi runs")
    add_stdin_option(group, purpose)


def add_stdin_option(parser: argparse._ActionsContainer, purpose: str) -> None:
    """Add only ``--password-stdin``, for commands that also accept ``password=...``."""
    parser.add_argument("--password-stdin", action="store_true", help=f"read the {purpose} from standard input")


def password_from_options(options: argparse.Namespace, context: ClientContext) -> str | None:
    """Return the password given by the options, which may be empty; None if no option gives one."""
    if options.password_stdin:
        return context.terminal.read_secret()
    password: str | None = options.password
    return password


def password_for_login(options: argparse.Namespace, context: ClientContext) -> str:
    """Return the password to log in with.

    Raises:
        ClientError: if nothing provides one and there is not a terminal to ask on, or if a place for it is empty.
    """
    username, url = options.username, context.server_url
    password = password_from_options(options, context)
    if password is None:
        password = context.credentials.secret_variable("DEVPI_PASSWORD")
    if password is None:
        password = context.plugins.find_password(url, username)
    if password is None:
        prompt = f"password for user {username} at {url}: "
        password = context.terminal.ask_secret(prompt, otherwise="--password-stdin or DEVPI_PASSWORD")
    return password


def ask_new_password(context: ClientContext, username: str) -> str:
    """Ask for a new password until both entries match and the user has confirmed a weak one.

    Raises:
        ClientError: if there is not a terminal to ask on, the password is empty, or all tries have failed.
    """
    for _ in range(MAX_NEW_PASSWORD_TRIES):
        password = context.terminal.ask_secret(f"new password for user {username}:", otherwise="--password-stdin")
        require_new_password(password)
        if context.terminal.ask_secret(f"repeat new password for user {username}:", otherwise="") != password:
            context.terminal.print_line("passwords did not match")
        elif len(password) >= STRONG_PASSWORD_CHARS or _confirm_weak_password(context):
            return password
    raise ClientError(f"no new password after {MAX_NEW_PASSWORD_TRIES} tries, and nothing was changed: try again")


def require_new_password(password: str | None) -> None:
    """Check that a new password, if there is one, is not empty; an older server would accept it.

    Raises:
        ClientError: if it is empty.
    """
    if password == "":
        raise ClientError("the new password is empty, and nothing was changed: choose a password")


def _confirm_weak_password(context: ClientContext) -> bool:
    return context.confirm(f"password with less than {STRONG_PASSWORD_CHARS} characters, are you sure to use it?")
