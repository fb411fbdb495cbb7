"""``devpi-server apply FILE``: give the server the state that a file declares, in one transaction."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from wheelgate.commands.context import ServerContext
from wheelgate.commands.state_file import (
    add_state_arguments,
    declared_state,
    print_changes,
    read_state_file,
    state_options,
)
from wheelgate.errors import Conflict, StartupError
from wheelgate.services.state.applying import Changes


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_state_arguments(parser)
    parser.add_argument("--yes", action="store_true", help="apply without a question")


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Show the changes, ask, and make all of them or none; the server may be running.

    Raises:
        StartupError: nobody has confirmed.
    """
    document = read_state_file(arguments.file)
    with declared_state(context) as state:
        if arguments.yes:
            changes = state.apply(document, state_options(arguments, only_plan=False), lambda changes: None)
            print_changes(changes)
        else:
            changes = state.plan(document, state_options(arguments, only_plan=True))
            print_changes(changes)
            if changes:
                ask()
                state.apply(document, state_options(arguments, only_plan=False), same_as(changes))
    if changes:
        context.record("server.apply", arguments.file, changes=len(changes))
        for change in changes:
            context.record(f"{change.kind}.{change.verb}", change.name, parent="server.apply")
        print("applied")
    return 0


def ask() -> None:
    """Ask at the terminal; raise ``StartupError`` unless the answer is yes."""
    if not sys.stdin.isatty():
        raise StartupError("there is no terminal to ask at; apply with --yes; nothing was changed")
    print("apply these changes? (yes/no) ", end="", flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise StartupError("nothing was changed")


def same_as(shown: Changes) -> Callable[[Changes], None]:
    """Return a function that refuses changes that are not the ones that were shown."""

    def confirm(changes: Changes) -> None:
        if list(changes) != list(shown):
            raise Conflict("the server has changed in the meantime, so nothing was applied; run the command again")

    return confirm
