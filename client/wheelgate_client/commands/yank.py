"""Yank a version: installers then take it only if it is pinned exactly. No file is removed; --undo reverses it."""

from __future__ import annotations

import argparse

from wheelgate_client import index_option
from wheelgate_client.errors import UsageError
from wheelgate_client.server import urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("spec", metavar="NAME==VERSION", help="version to yank, with all its files")
    parser.add_argument("--reason", metavar="TEXT", help="reason to show to users who pin the version")
    parser.add_argument("--undo", action="store_true", help="make the version available again")
    index_option.add_index_option(parser, "yank on")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Yank, or un-yank."""
    from wheelgate_client.packages import requirements

    if options.undo and options.reason is not None:
        raise UsageError("devpi yank: error: --undo takes no --reason")
    name, version = requirements.parse_pinned(options.spec, context.terminal.note)
    info = index_option.require_features(options, context, "yank")
    body: dict[str, object] = {"yanked": not options.undo}
    if options.reason is not None:
        body["reason"] = options.reason
    context.api.send("PATCH", urls.join(str(info.index), requirements.normalize_name(name), version), body)
    context.terminal.print_line(f"{'un-yanked' if options.undo else 'yanked'} {name} {version}")
    return 0
