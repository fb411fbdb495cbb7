"""Log out: the server ends the login if it keeps a list of logins, and this machine deletes the token."""

from __future__ import annotations

import argparse
from contextlib import suppress

from wheelgate_client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext


def register(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Delete the token of the user in use."""
    username = context.username
    if username is None:
        context.terminal.print_line("not logged in")
        return 0
    # Delete the token here even if the server is down, or keeps no list of its tokens.
    with suppress(ClientError):
        context.api.send("POST", f"{context.server_url}+logout", {})
    context.logins.log_off(context.server_url, username)
    context.terminal.print_line("login information deleted")
    return 0
