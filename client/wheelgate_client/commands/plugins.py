"""Show the client's plugins: name, distribution, and the hooks that each implements."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext


def register(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Print one line for each plugin, and one for each of its hooks."""
    for plugin in context.plugins.loaded():
        context.terminal.print_line(f"{plugin.name} ({plugin.distribution})")
        for hook in plugin.hooks:
            context.terminal.print_line(f"    {hook}")
    return 0
