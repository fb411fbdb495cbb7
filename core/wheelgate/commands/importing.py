"""``devpi-server import``: a new server from an export, or releases for an index that exists."""

from __future__ import annotations

import argparse

from wheelgate.commands import import_packages, import_server
from wheelgate.commands.context import ServerContext

SOURCES = ("source", "from_simple", "from_folder")
"""The arguments that name a source; there must be one."""
COMMON = frozenset({*SOURCES, "report"})
"""The arguments that belong to all of them, or choose one."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of both kinds of import."""
    import_server.register(parser)
    for_exports = {action.dest for action in parser._actions} - COMMON - {"help"}  # noqa: SLF001 - as Parser does
    import_packages.register(parser)
    for_indices = {action.dest for action in parser._actions} - COMMON - {"help"} - for_exports  # noqa: SLF001
    parser.set_defaults(import_parser=parser, for_exports=for_exports, for_indices=for_indices)


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Run the import that the arguments name; wrong usage ends with exit code 2."""
    parser: argparse.ArgumentParser = arguments.import_parser
    if sum(getattr(arguments, name) is not None for name in SOURCES) != 1:
        parser.error("name one source: a folder with an export, --from-simple or --from-folder")
    of_export = arguments.source is not None
    others = arguments.for_indices if of_export else arguments.for_exports
    misplaced = sorted(name for name in others if getattr(arguments, name) != parser.get_default(name))
    if misplaced:
        where = "--from-simple or --from-folder" if of_export else "the import of an export"
        parser.error(f"--{misplaced[0].replace('_', '-')} belongs to {where}")
    if of_export:
        return import_server.run(arguments, context)
    if arguments.index is None:
        parser.error("--index is missing: name the index to add to")
    return import_packages.run(arguments, context)
