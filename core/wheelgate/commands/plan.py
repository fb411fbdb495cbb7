"""``devpi-server plan FILE``: print what ``apply`` would change, and find the mistakes of the file."""

from __future__ import annotations

import argparse

from wheelgate.commands.context import ServerContext
from wheelgate.commands.state_file import (
    add_state_arguments,
    declared_state,
    print_changes,
    read_state_file,
    state_options,
)

CHANGES_CODE = 3
"""The exit code if there are changes; 2 is wrong usage of every command."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_state_arguments(parser)


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Print the changes.

    Returns:
        0 if there are none, 3 if there are some.
    """
    document = read_state_file(arguments.file)
    with declared_state(context) as state:
        changes = state.plan(document, state_options(arguments, only_plan=True))
    print_changes(changes)
    return CHANGES_CODE if changes else 0
