"""Show the JSON that the server answers at a path: '/', '/USER', '/USER/INDEX', or relative to the index in use."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from wheelgate_client.errors import NotAnIndexServerError

if TYPE_CHECKING:
    from wheelgate_client.server.api import Reply
    from wheelgate_client.session import Session


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("path_or_url", help="what to show; with -v also the headers of the answer, on standard error")


def run(options: argparse.Namespace, session: Session) -> int:
    """Show the answer."""
    reply = session.api.get(session.resource_url(options.path_or_url))
    show(session, "GET", reply)
    return 0


def show(session: Session, method: str, reply: Reply) -> None:
    """Print the content of an answer, sorted, for people and programs alike."""
    if session.verbose:
        session.terminal.note(f"{method} REQUEST sent to {reply.url}")
        for name, value in sorted(reply.headers.items(), key=lambda header: header[0].upper()):
            session.terminal.note(f"{name.upper()}: {value}")
        session.terminal.note("")
    try:
        text = json.dumps(reply.content, indent=4, sort_keys=True)
    except RecursionError:
        raise NotAnIndexServerError(reply.url, "its answer is nested too deep to be shown") from None
    session.terminal.block(text)
