"""The command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from wheelgate.errors import StartupError
from wheelgate.newplugin.kinds import KINDS
from wheelgate.newplugin.writing import write_plugin


def main(argv: Sequence[str] | None = None) -> int:
    """Write the plugin; return the exit code: 0, 1 for a refusal, 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m wheelgate.newplugin",
        description="Writes the distribution of a plugin: an entry point, code that works, tests that pass, a README.",
        epilog="Kinds: " + "; ".join(f"{name} {kind.does}" for name, kind in KINDS.items()) + ".",
    )
    parser.add_argument("name", metavar="NAME", help="the plugin's name, such as corp-login")
    parser.add_argument("--kind", choices=KINDS, default="authenticator", help="what it does (default: %(default)s)")
    parser.add_argument(
        "--folder", type=Path, default=Path(), help="where the folder wheelgate-NAME is to be (default: here)"
    )
    given = parser.parse_args(argv)
    try:
        folder = write_plugin(given.name, given.kind, given.folder)
    except StartupError as error:
        print(f"newplugin: {error}", file=sys.stderr)
        return 1
    print(f"{folder} holds a plugin that {KINDS[given.kind].does}. What now?")
    print(f"  cd {folder}")
    print("  python -m pytest                 # its tests pass")
    print("  python -m pip install -e .       # devpi-server and devpi find it from now on")
    print("  devpi-server plugins             # or: devpi plugins")
    return 0


if __name__ == "__main__":
    sys.exit(main())
