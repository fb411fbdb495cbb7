"""Show which index a project comes from, which versions the other indices have, and why those are hidden."""

from __future__ import annotations

import argparse

from wheelgate_client import index_option
from wheelgate_client.server import json_values, urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("project", help="name of the project")
    index_option.add_index_option(parser, "ask")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Show the indices in the order in which they are asked; exit code 1 if none has the project."""
    info = index_option.require_features(options, context, "why")
    result = context.api.get(urls.join(str(info.index), "+why", options.project)).result("why")
    served = result.get("served_from")
    sources = json_values.format_value(served) if isinstance(served, list) else ""
    project = result.get("project", options.project)
    context.terminal.print_line(
        f"{project} comes from {sources}" if sources else f"{project} is on none of these indices"
    )
    indices = result.get("indices")
    for item in indices if isinstance(indices, list) else ():
        if isinstance(item, dict):
            _print_index(context, item)
    return 0 if sources else 1


def _print_index(context: ClientContext, item: dict[str, object]) -> None:
    context.terminal.print_line(f"{item.get('index')} ({item.get('type')}): {item.get('state')}")
    versions = item.get("versions")
    if isinstance(versions, list) and versions:
        context.terminal.print_line(f"    files: {item.get('files')}, versions: {' '.join(map(str, versions))}")
    if item.get("reason"):
        context.terminal.print_line(f"    {item['reason']}")
