"""Install packages from an index, by pip or uv, as the user who is logged in."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wheelgate_client import targets
from wheelgate_client.errors import ClientError, UsageError

if TYPE_CHECKING:
    from wheelgate_client.session import Session

PRERELEASES = {"PIP_PRE": "1", "UV_PRERELEASE": "allow"}
"""An index of one's own is where one tries what is not released yet; a variable that is set already counts more."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("pkg", nargs="*", help="package to install or upgrade, as pip takes it: 'NAME', 'NAME==1.0'")
    targets.add_option(parser, "install from")
    parser.add_argument("-l", dest="list", action="store_true", help="list what is installed")
    parser.add_argument(
        "-e", dest="editable", action="append", default=[], metavar="ARG", help="install a project in editable mode"
    )
    parser.add_argument(
        "-r", "--requirement", action="append", default=[], metavar="FILE", help="install what a requirements file says"
    )
    parser.add_argument(
        "--venv",
        metavar="DIR",
        help="virtual environment to install into (default: that of 'devpi use --venv', then the active one)",
    )
    parser.add_argument("--installer", choices=("pip", "uv"), help="default: pip where there is one, otherwise uv")


def run(options: argparse.Namespace, session: Session) -> int:
    """Call the installer; exit code 1 if it failed."""
    from wheelgate_client.tools import installers

    installer, venv = installers.chosen(options, session)
    if options.list:
        session.terminal.line(f"list of installed packages on {venv}")
        return _call(session, installer.command("list"), {})
    wanted = [*(word for path in options.requirement for word in ("-r", path))]
    wanted += [*(word for path in options.editable for word in ("-e", path)), *options.pkg]
    if not wanted:
        raise UsageError("devpi install: error: name what to install, or give -r FILE or -e ARG")
    variables = installers.environment(session, targets.described(options, session))
    unset = {name: value for name, value in PRERELEASES.items() if name not in session.environ}
    return _call(session, installer.command("install", "-U", *wanted), {**variables, **unset})


def _call(session: Session, command: list[str], variables: dict[str, str]) -> int:
    from wheelgate_client.tools import programs

    prefix = "UV_" if command[1] == "pip" else "PIP_"
    special = {name: value for name, value in variables.items() if name.startswith(prefix)}
    session.terminal.line(f"--> .$ {programs.shown(command, special)}")
    if programs.run(command, environ={**session.environ, **special}) != 0:
        raise ClientError("command failed")
    return 0
