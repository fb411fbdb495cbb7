"""Show the user that the server in use takes you for; exit code 1 without a valid login."""

from __future__ import annotations

import argparse

from wheelgate_client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext


def register(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Ask the server, because it may have ended the login."""
    from wheelgate_client import server_info

    info = server_info.fetch_server_info(context, context.server_url, None)
    if info.username is None and info.rejected is not None:
        raise ClientError(context.credentials.rejection(info.rejected))
    if info.username is None:
        raise ClientError(f"not logged in at {context.server_url}: type 'devpi login USER'")
    context.terminal.print_line(f"{info.username} at {context.server_url}")
    return 0
