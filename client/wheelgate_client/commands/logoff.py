"""End the login: the server forgets the token as far as it can, and so does this machine."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING

from wheelgate_client.errors import ClientError

if TYPE_CHECKING:
    from wheelgate_client.session import Session


def register(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(options: argparse.Namespace, session: Session) -> int:
    """Forget the token of the user in use."""
    username = session.username
    if username is None:
        session.terminal.line("not logged in")
        return 0
    # A server that is down, or that keeps no list of its tokens, is no reason to keep the token here.
    with suppress(ClientError):
        session.api.send("POST", f"{session.root}+logout", {})
    session.auth_file.log_off(session.root, username)
    session.terminal.line("login information deleted")
    return 0
