"""``devpi-server prefetch``: resolves requirements, and fills the caches of mirrors with all that they need."""

from __future__ import annotations

import argparse

from wheelgate.commands.context import ServerContext
from wheelgate.errors import StartupError


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("index", metavar="USER/INDEX", help="the mirror, or an index that inherits from it")
    parser.add_argument(
        *("-r", "--requirement"), metavar="FILE", action="append", required=True, help="requirements file; repeatable"
    )
    parser.add_argument(
        "--platform",
        metavar="TAG",
        action="append",
        default=[],
        help="platform to fetch for, such as manylinux_2_28_x86_64, win_amd64 or macosx_14_0_arm64; repeatable; "
        "this machine's if not given",
    )
    parser.add_argument(
        "--python", metavar="VERSION", action="append", default=[], help="Python to fetch for; repeatable"
    )
    parser.add_argument("--implementation", choices=("cp", "pp"), help="cp for CPython, pp for PyPy")
    parser.add_argument("--only-binary", "--no-sdist", action="store_true", help="choose wheels only")


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Resolve the requirements for each Python on each platform, and download what is missing; the server may run.

    Raises:
        StartupError: resolvelib is not installed.
    """
    try:
        from wheelgate.commands.prefetching import prefetch
    except ModuleNotFoundError as error:
        if error.name != "resolvelib":
            raise
        raise StartupError(
            "prefetch needs the library resolvelib, which is not installed; run: pip install 'wheelgate[prefetch]'"
        ) from None
    prefetch(arguments, context)
    return 0
