"""Change your password, or that of another user if the server lets you."""

from __future__ import annotations

import argparse

from wheelgate_client import passwords
from wheelgate_client.commands.user import modify_user, named_or_current_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("username", nargs="?", help="user whose password to change (default: the logged-in user)")
    passwords.add_password_options(parser, "new password")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Send the new password."""
    username = named_or_current_user(context, options.username)
    context.user_url(username)  # check the name before the user types a password
    password = passwords.password_from_options(options, context)
    if password is None:
        password = passwords.ask_new_password(context, username)
    passwords.require_new_password(password)
    modify_user(context, username, {"password": password})
    return 0
