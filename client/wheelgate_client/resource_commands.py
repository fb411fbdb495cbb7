"""The common parts of ``devpi user``, ``index`` and ``group``: their actions, listings and deletions."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from wheelgate_client.errors import ClientError
from wheelgate_client.server.json_values import setting_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext


def add_action_options(
    parser: argparse.ArgumentParser, noun: str, *, list_help: str, delete_help: str
) -> argparse._MutuallyExclusiveGroup:
    """Add ``--create``, ``--modify``, ``--list`` and ``--delete``, of which a user may give one."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument("-c", "--create", action="store_true", help=f"create the {noun}")
    action.add_argument("-m", "--modify", action="store_true", help="change the given settings")
    action.add_argument("-l", "--list", action="store_true", help=list_help)
    action.add_argument("--delete", action="store_true", help=delete_help)
    return action


def check_deletion(options: argparse.Namespace, changes: Sequence[str]) -> None:
    """Make sure that no settings are given for a deletion.

    Raises:
        ClientError: if there are any.
    """
    if options.delete and changes:
        raise ClientError("cannot delete if you specify key=values")


def delete_resource(context: ClientContext, url: str, shown_url: str, query: str = "") -> bool:
    """Delete after a confirmation; return False if the user declines.

    A missing resource is reported before the question: nobody should have to think about that one.
    """
    context.api.get(f"{url}{query}")
    context.terminal.print_line(f"About to remove: {shown_url}")
    if not context.confirm("Are you sure"):
        return False
    context.api.send("DELETE", url)
    return True


def print_resource(
    context: ClientContext,
    url: str,
    config: Mapping[str, object],
    *,
    first: Sequence[str] = (),
    without: Sequence[str] = (),
) -> None:
    """Print the URL and the settings: those in ``first``, then the others without those in ``without``."""
    context.terminal.print_line(f"{url}:")
    for line in setting_lines(config, first=first, without=without):
        context.terminal.print_line(line)
