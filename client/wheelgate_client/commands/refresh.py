"""Make the mirrors of an index ask their upstream again what files a project has."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wheelgate_client import targets
from wheelgate_client.errors import RefusedError
from wheelgate_client.server import urls

if TYPE_CHECKING:
    from wheelgate_client.session import Session


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("projects", nargs="+", metavar="PROJECT", help="name of a project")
    targets.add_option(parser, "refresh")


def run(options: argparse.Namespace, session: Session) -> int:
    """Refresh one project after the other; exit code 1 if one could not be."""
    from wheelgate_client.packages import requirements as specs

    index = targets.index_url(options, session)
    failures = 0
    for project in options.projects:
        url = urls.join(index, "+simple", specs.normalised(project), "refresh")
        try:
            session.api.post_and_look(url)
        except RefusedError as refused:
            failures += 1
            session.terminal.error(f"Couldn't refresh {project} via {url}: {refused.answer}")
        else:
            session.terminal.line(f"Refreshed {project}")
    return 1 if failures else 0
