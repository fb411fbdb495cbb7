"""Yank a version: installers take it only where it is pinned exactly. Nothing is removed, and --undo takes it back."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wheelgate_client import targets
from wheelgate_client.errors import UsageError
from wheelgate_client.server import urls

if TYPE_CHECKING:
    from wheelgate_client.session import Session


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("spec", metavar="NAME==VERSION", help="version to yank, with all its files")
    parser.add_argument("--reason", metavar="TEXT", help="why, for those who have it pinned")
    parser.add_argument("--undo", action="store_true", help="offer the version again")
    targets.add_option(parser, "yank on")


def run(options: argparse.Namespace, session: Session) -> int:
    """Yank, or un-yank."""
    from wheelgate_client.packages import requirements as specs

    if options.undo and options.reason is not None:
        raise UsageError("devpi yank: error: --undo takes no --reason")
    name, version = specs.pinned(options.spec, session.terminal.note)
    info = targets.with_feature(options, session, "yank")
    body: dict[str, object] = {"yanked": not options.undo}
    if options.reason is not None:
        body["reason"] = options.reason
    session.api.send("PATCH", urls.join(str(info.index), specs.normalised(name), version), body)
    session.terminal.line(f"{'un-yanked' if options.undo else 'yanked'} {name} {version}")
    return 0
