"""Show the client's plugins: name, what it was installed with, and the hooks that it implements."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wheelgate_client.session import Session


def register(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(options: argparse.Namespace, session: Session) -> int:
    """Print one line for each plugin, and one for each of its hooks."""
    for plugin in session.plugins.described():
        session.terminal.line(f"{plugin.name} ({plugin.distribution})")
        for hook in plugin.hooks:
            session.terminal.line(f"    {hook}")
    return 0
