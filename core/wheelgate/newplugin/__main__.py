"""The command line of ``python -m wheelgate.newplugin``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from wheelgate.errors import StartupError
from wheelgate.hookspecs import SERVER_PLUGIN_GROUP
from wheelgate.newplugin.kinds import PLUGIN_KINDS
from wheelgate.newplugin.writing import write_plugin


def main(argv: Sequence[str] | None = None) -> int:
    """Write the plugin; return the exit code: 0 for success, 1 for an error, 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m wheelgate.newplugin",
        description="Write the distribution of a plugin: an entry point, working code, tests that pass, and a README.",
        epilog="Kinds: " + "; ".join(f"{name} {kind.does}" for name, kind in PLUGIN_KINDS.items()) + ".",
    )
    parser.add_argument("name", metavar="NAME", help="name of the plugin, such as corp-login")
    parser.add_argument(
        "--kind", choices=PLUGIN_KINDS, default="authenticator", help="what the plugin does (default: %(default)s)"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(),
        help="folder in which to create wheelgate-NAME (default: the current folder)",
    )
    given = parser.parse_args(argv)
    try:
        folder = write_plugin(given.name, given.kind, given.folder)
    except StartupError as error:
        print(f"newplugin: {error}", file=sys.stderr)
        return 1
    program = "devpi-server" if PLUGIN_KINDS[given.kind].group == SERVER_PLUGIN_GROUP else "devpi"
    print(f"{folder} contains a plugin that {PLUGIN_KINDS[given.kind].does}. Next steps:")
    print(f"  cd {folder}")
    print(f"  python -m pip install -e '.[dev]'  # it and pytest, into the environment that {program} is in")
    print("  python -m pytest                   # its tests pass")
    print(f"  {program} plugins{' ' * (27 - len(program))}# lists it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
