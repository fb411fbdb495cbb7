"""Subcommands of ``devpi-server``: the value that a plugin returns, and the context that its function gets."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from wheelgate.config import Config
from wheelgate.server import Server


class CommandContext(Protocol):
    """The part of the server that a subcommand may use. The subcommand serves no requests."""

    @property
    def config(self) -> Config:
        """The settings, from the command line, the environment and the file."""

    def open_server(self, *, read_only: bool = False) -> AbstractContextManager[Server]:
        """Open the database, and close it at the end of the ``with`` block.

        The server itself may run at the same time. Changes belong inside ``server.database.transaction()``.

        Args:
            read_only: refuse to change anything.

        Raises:
            StartupError: no server has been started in the folder, or its database cannot be opened.
        """


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand of ``devpi-server``."""

    name: str
    """One word, typed after ``devpi-server``."""
    help: str
    """Half a sentence in lower case for ``devpi-server --help``."""
    register: Callable[[argparse.ArgumentParser], None]
    """Adds the arguments of the command. The settings of the server are options of every command already."""
    run: Callable[[argparse.Namespace, Any], int]
    """Gets the arguments and a :class:`CommandContext`, does the work, and returns the exit code. Raise
    ``StartupError`` or ``Refusal`` for one line on standard error and exit code 1."""
