"""``devpi-server init``: make the server's folder and database before the first start."""

from __future__ import annotations

import argparse

from wheelgate.commands.context import ServerContext
from wheelgate.errors import StartupError
from wheelgate.values import ROOT


def register(parser: argparse.ArgumentParser) -> None:
    """Add no arguments: the settings of the first start, such as ``--root-passwd``, are options of every command."""


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Make what the first start makes; settings that count at the first start count here.

    Raises:
        StartupError: the server exists already.
    """
    config = context.config
    if context.was_started():
        raise StartupError(f"there is a server in {config.serverdir} already; start it with '{config.command()}'")
    with context.make_server() as server:
        if server.users.password_hash(ROOT) == "":
            print(f"root has an empty password; set one with '{config.command('passwd', ROOT)}'")
    print(f"made the server in {config.serverdir}; start it with '{config.command()}'")
    return 0
