"""Adds ``devpi trail USER``."""

import argparse
from typing import Any

from wheelgate_client.context import ClientContext
from wheelgate_client.hookspecs import hookimpl


@hookimpl
def wheelgate_client_commands(subparsers: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser("trail", help="show what happened to a user")
    parser.add_argument("user")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Print a line for each event."""
    reply = context.api.get(f"{context.server_url}+x/tiny_audit/trail/{options.user}")
    for entry in reply.content["result"]:
        context.terminal.print_line(f"{entry['event']} by {entry['actor']}")
    return 0
