"""``devpi-server reindex``: make the index of the search again."""

from __future__ import annotations

import argparse

from wheelgate import Command
from wheelgate.subcommands import CommandContext
from wheelgate_web.search.indexing import Indexer


def register(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Make the index again, and print how many projects it has; the server may be running."""
    with context.open_server() as server:
        count = Indexer(server).rebuild()
    print(f"the search finds {count} {'project' if count == 1 else 'projects'}")
    return 0


REINDEX = Command("reindex", "make the index of the search again, while the server runs or not", register, run)
