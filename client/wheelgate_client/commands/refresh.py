"""Make the mirrors of an index ask their upstream again for the files of a project."""

from __future__ import annotations

import argparse

from wheelgate_client import index_option
from wheelgate_client.errors import RefusedError
from wheelgate_client.server import urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("projects", nargs="+", metavar="PROJECT", help="name of a project")
    index_option.add_index_option(parser, "refresh")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Refresh one project after the other; exit code 1 if one fails."""
    from wheelgate_client.packages import requirements

    index = index_option.chosen_index_url(options, context)
    failures = 0
    for project in options.projects:
        url = urls.join(index, "+simple", requirements.normalize_name(project), "refresh")
        try:
            context.api.post_and_follow(url)
        except RefusedError as refused:
            failures += 1
            context.terminal.error(f"Couldn't refresh {project} via {url}: {refused.summary}")
        else:
            context.terminal.print_line(f"Refreshed {project}")
    return 1 if failures else 0
