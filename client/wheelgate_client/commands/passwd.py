"""Change a password: one's own, or that of another user if the server lets you."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wheelgate_client import passwords
from wheelgate_client.commands.user import modify, named_or_current

if TYPE_CHECKING:
    from wheelgate_client.session import Session


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("username", nargs="?", help="user whose password to change (default: the one logged in)")
    passwords.add_options(parser, "new password")


def run(options: argparse.Namespace, session: Session) -> int:
    """Send the new password."""
    username = named_or_current(session, options.username)
    session.user_url(username)  # nobody should type a password for nothing
    password = passwords.given(options, session)
    if password is None:
        password = passwords.ask_new(session, username)
    modify(session, username, {"password": password})
    return 0
