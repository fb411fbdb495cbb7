"""``devpi-server export-state``: print a state file that declares the present state, without secrets."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from wheelgate.commands.context import ServerContext
from wheelgate.commands.state_file import declared_state
from wheelgate.services.state.toml_values import has_toml_form


def register(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Print the file; ``plan`` of it finds no changes."""
    import tomlkit  # only this command writes TOML

    with declared_state(context) as state:
        document = {name: without_other_values(name, table) for name, table in state.export().items()}
    print(tomlkit.dumps(document), end="")
    return 0


def without_other_values(label: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table, or an entry of one, without the values that TOML cannot hold; ``apply`` leaves them alone."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        if has_toml_form(value):
            found[key] = plain(value)
        elif isinstance(value, Mapping) and "." not in label:
            found[key] = without_other_values(f"{label}.{key}", value)
        else:
            print(f"[{label}]: {key} is left out, because TOML has no null and no such number", file=sys.stderr)
    return found


def plain(value: Any) -> Any:
    """Return a value with lists and dictionaries of Python, as tomlkit wants them."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value
