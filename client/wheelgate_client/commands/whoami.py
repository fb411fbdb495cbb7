"""Show the user that the server in use takes you for; exit code 1 without a valid login."""

from __future__ import annotations

import argparse

from wheelgate_client.errors import ClientError
from wheelgate_client.server import urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext
    from wheelgate_client.server.json_values import JsonObject


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
    if "whoami" in info.features:
        _print_details(context, context.api.get(urls.join(context.server_url, "+whoami")).result("whoami"))
    return 0


def _print_details(context: ClientContext, result: JsonObject) -> None:
    """Show the groups, and the login or API token that the server recognised."""
    groups, credential = result.get("groups"), result.get("credential")
    if isinstance(groups, list) and groups:
        context.terminal.print_line(f"groups: {' '.join(map(str, groups))}")
    if not isinstance(credential, dict):
        return
    if credential.get("kind") == "session":
        context.terminal.print_line(f"logged in until {credential.get('expires')}")
    if credential.get("kind") == "token":
        context.terminal.print_line(f"API token {credential.get('id')}, valid until {credential.get('expires')}")
