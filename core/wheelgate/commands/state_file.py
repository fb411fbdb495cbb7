"""What ``plan``, ``apply`` and ``export-state`` share: they read a state file, open the server, and print changes."""

from __future__ import annotations

import argparse
import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wheelgate.commands.context import ServerContext
from wheelgate.errors import StartupError
from wheelgate.logs import escape_unprintable
from wheelgate.process.startup import open_services
from wheelgate.services.state.applying import DeclaredState
from wheelgate.state_sections import StateChange, StateOptions

SIGNS = {"create": "+", "modify": "~", "delete": "-"}


def add_state_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``plan`` and ``apply``."""
    parser.add_argument("file", metavar="FILE", help="TOML file with the state to have")
    parser.add_argument(
        "--prune", action="store_true", help="delete what the tables of the file leave out, except root and its like"
    )
    parser.add_argument("--prune-files", action="store_true", help="delete even indices that hold packages")
    parser.add_argument("--reset-passwords", action="store_true", help="set the passwords of users who exist, too")


def state_options(arguments: argparse.Namespace, *, only_plan: bool) -> StateOptions:
    """Return the options of the command line."""
    return StateOptions(
        prune=arguments.prune or arguments.prune_files,
        prune_files=arguments.prune_files,
        reset_passwords=arguments.reset_passwords,
        only_plan=only_plan,
    )


def read_state_file(name: str) -> dict[str, Any]:
    """Return the content of a state file.

    Raises:
        StartupError: it cannot be read, or is not TOML.
    """
    path = Path(name).expanduser()
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise StartupError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise StartupError(f"{path} is not text in UTF-8") from None
    except RecursionError:
        raise StartupError(f"{path} is nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        raise StartupError(f"{path} is not TOML: {error}") from None


@contextmanager
def declared_state(context: ServerContext) -> Iterator[DeclaredState]:
    """Open the server, which may be running."""
    context.require_started_server()
    with open_services(context.config, context.plugins) as opened:
        yield DeclaredState(opened, context.plugins)


def print_changes(changes: Sequence[StateChange]) -> None:
    """Print a line about each change and each of its keys; then how many there are, or ``no changes``."""
    for change in changes:
        print(escape_unprintable(f"{SIGNS[change.verb]} {change.verb} {change.kind} {change.name}".rstrip()))
        for key, (before, after) in change.keys.items():
            shown = written(after) if before is None else f"{written(before)} -> {written(after)}"
            print(escape_unprintable(f"    {key}: {shown}"))
    counts = Counter(change.verb for change in changes)
    print(", ".join(f"{counts[verb]} to {verb}" for verb in SIGNS) if changes else "no changes")


def written(value: Any) -> str:
    """Return a value as the file has it, or nearly so."""
    return "(none)" if value is None else json.dumps(value, ensure_ascii=False, default=list)
