"""Say which index a project comes from, what every other index has of it, and why that is hidden."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wheelgate_client import targets
from wheelgate_client.server import config_values as values
from wheelgate_client.server import urls

if TYPE_CHECKING:
    from wheelgate_client.session import Session


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("project", help="name of the project")
    targets.add_option(parser, "ask")


def run(options: argparse.Namespace, session: Session) -> int:
    """Show the indices in the order in which they are asked; exit code 1 if none has the project."""
    info = targets.with_feature(options, session, "why")
    result = session.api.get(urls.join(str(info.index), "+why", options.project)).result("why")
    served = result.get("served_from")
    sources = values.shown(served) if isinstance(served, list) else ""
    project = result.get("project", options.project)
    session.terminal.line(f"{project} comes from {sources}" if sources else f"{project} is on none of these indices")
    indices = result.get("indices")
    for item in indices if isinstance(indices, list) else ():
        if isinstance(item, dict):
            _show(session, item)
    return 0 if sources else 1


def _show(session: Session, item: dict[str, object]) -> None:
    session.terminal.line(f"{item.get('index')} ({item.get('type')}): {item.get('state')}")
    versions = item.get("versions")
    if isinstance(versions, list) and versions:
        session.terminal.line(f"    files: {item.get('files')}, versions: {' '.join(map(str, versions))}")
    if item.get("reason"):
        session.terminal.line(f"    {item['reason']}")
