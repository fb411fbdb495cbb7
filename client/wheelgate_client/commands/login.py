"""Log in to the server; the login ends after some hours, with 'devpi logoff', or when the password changes."""

from __future__ import annotations

import argparse

from wheelgate_client import passwords
from wheelgate_client.errors import NotAnIndexServerError, RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext

SECONDS_PER_HOUR = 3600


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("username", help="user to log in as")
    passwords.add_password_options(parser, "password")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Exchange the password for a token, and store that."""
    url = f"{context.server_url}+login"
    body = {"user": options.username, "password": passwords.password_for_login(options, context)}
    # Do not send the stored login, because this one replaces it.
    login = context.api.send("POST", url, body, login=context.basic_login_for(url)).login_token()
    if login is None:
        raise NotAnIndexServerError(url, "it sent no token")
    context.logins.log_in(context.server_url, options.username, login.token)
    context.selection_file.save({"username": options.username})
    hours = login.lifetime_seconds / SECONDS_PER_HOUR
    context.terminal.print_line(f"logged in '{options.username}', credentials valid for {hours:.2f} hours")
    _note_missing_index(context)
    return 0


def _note_missing_index(context: ClientContext) -> None:
    if context.selection.index is None:
        return
    try:
        context.api.get(f"{context.selection.index}?no_projects=")
    except RefusedError as refused:
        context.terminal.note(refused.summary)
        context.terminal.note("Connected index does not exist.")
