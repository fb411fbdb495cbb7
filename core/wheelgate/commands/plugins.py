"""``devpi-server plugins``: list the installed plugins with their hooks and settings."""

from __future__ import annotations

import argparse

from wheelgate.commands.context import ServerContext


def register(parser: argparse.ArgumentParser) -> None:
    """Add no arguments: the command has none."""


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Print a paragraph about each plugin, in the order in which the server calls their functions."""
    plugins = context.plugins
    keys: dict[str, list[str]] = {}
    for plugin, option in plugins.options():
        keys.setdefault(plugin, []).append(option.key)
    for number, entry in enumerate(plugins.found, 1):
        state = "blocked" if entry.blocked else "active"
        print(f"{number}. {entry.name} ({entry.distribution} {entry.version}): {state}")
        hooks = [name.removeprefix("wheelgate_") for name in plugins.hooks_of(entry.name)]
        if hooks:
            print(f"   hooks: {', '.join(hooks)}")
        if entry.name in keys:
            print(f"   settings: {', '.join(keys[entry.name])}")
    return 0
