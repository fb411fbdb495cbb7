"""Where passwords come from: options, environment, plugins, and at last the terminal."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wheelgate_client.session import Session

SHORT = 8


def add_options(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Add ``--password`` and ``--password-stdin``."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--password", help=f"{purpose}; other users of this machine can see it while devpi runs")
    add_stdin_option(group, purpose)


def add_stdin_option(parser: argparse._ActionsContainer, purpose: str) -> None:
    """Add ``--password-stdin`` alone, where a password may also be given as ``password=...``."""
    parser.add_argument("--password-stdin", action="store_true", help=f"read the {purpose} from standard input")


def given(options: argparse.Namespace, session: Session) -> str | None:
    """Return the password that the options give; the empty one is a password too."""
    if options.password_stdin:
        return session.terminal.read_secret()
    password: str | None = options.password
    return password


def for_login(options: argparse.Namespace, session: Session) -> str:
    """Return the password to log in with.

    Raises:
        ClientError: if it has to be asked for and there is no terminal.
    """
    username, url = options.username, session.root
    password = given(options, session)
    if password is None:
        password = session.environ.get("DEVPI_PASSWORD") or session.plugins.password(url, username)
    if password is None:
        prompt = f"password for user {username} at {url}: "
        password = session.terminal.secret(prompt, otherwise="--password-stdin or DEVPI_PASSWORD")
    return password


def ask_new(session: Session, username: str) -> str:
    """Ask for a new password until it was given twice alike, and a weak one is meant.

    Raises:
        ClientError: if there is no terminal to ask on.
    """
    while True:
        password = session.terminal.secret(f"new password for user {username}:", otherwise="--password-stdin")
        if session.terminal.secret(f"repeat new password for user {username}:", otherwise="") != password:
            session.terminal.line("passwords did not match")
        elif len(password) >= SHORT or _is_meant(session, password):
            return password


def _is_meant(session: Session, password: str) -> bool:
    weakness = f"password with less than {SHORT} characters" if password else "empty password"
    return session.confirm(f"{weakness}, are you sure to use it?")
