"""Log in at the server; the login ends after some hours, with 'devpi logoff', or when the password changes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wheelgate_client import passwords
from wheelgate_client.errors import NotAnIndexServerError, RefusedError

if TYPE_CHECKING:
    from wheelgate_client.session import Session

SECONDS_PER_HOUR = 3600


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("username", help="user to log in as")
    passwords.add_options(parser, "password")


def run(options: argparse.Namespace, session: Session) -> int:
    """Exchange the password for a token, and keep that."""
    url = f"{session.root}+login"
    body = {"user": options.username, "password": passwords.for_login(options, session)}
    # The login that is about to be replaced has no say in this one.
    login = session.api.send("POST", url, body, credentials=session.basic_credentials(url)).login()
    if login is None:
        raise NotAnIndexServerError(url, "it answered without a token")
    session.auth_file.log_in(session.root, options.username, login.token)
    session.current_file.save({"username": options.username})
    hours = login.seconds / SECONDS_PER_HOUR
    session.terminal.line(f"logged in '{options.username}', credentials valid for {hours:.2f} hours")
    _check_index(session)
    return 0


def _check_index(session: Session) -> None:
    if session.current.index is None:
        return
    try:
        session.api.get(f"{session.current.index}?no_projects=")
    except RefusedError as refused:
        session.terminal.note(refused.answer)
        session.terminal.note("Connected index does not exist.")
