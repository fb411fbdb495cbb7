"""Install packages from an index with pip or uv, as the logged-in user."""

from __future__ import annotations

import argparse

from wheelgate_client import index_option
from wheelgate_client.errors import ClientError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext

ALLOW_PRERELEASES = {"PIP_PRE": "1", "UV_PRERELEASE": "allow"}
"""People use their own index to try pre-releases. A variable that is already set takes precedence."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("pkg", nargs="*", help="package to install or upgrade, as for pip: 'NAME', 'NAME==1.0'")
    index_option.add_index_option(parser, "install from")
    parser.add_argument("-l", dest="list", action="store_true", help="list the installed packages")
    parser.add_argument(
        "-e", dest="editable", action="append", default=[], metavar="ARG", help="install a project in editable mode"
    )
    parser.add_argument(
        "-r", "--requirement", action="append", default=[], metavar="FILE", help="install from a requirements file"
    )
    parser.add_argument(
        "--venv",
        metavar="DIR",
        help="virtual environment to install into (default: that of 'devpi use --venv', then the active one)",
    )
    parser.add_argument(
        "--installer", choices=("pip", "uv"), help="installer to use (default: pip if there is one, otherwise uv)"
    )
    parser.add_argument(
        "--into-own-environment",
        action="store_true",
        help="install even into the environment that devpi itself runs in; this can upgrade packages that it needs",
    )


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Run the installer; exit code 1 if it fails."""
    from wheelgate_client.tools import installers

    installer, venv = installers.choose_installer(options, context)
    if options.list:
        context.terminal.print_line(f"list of installed packages on {venv}")
        return _run_installer(context, installer.command("list"), {})
    requested = [*(word for path in options.requirement for word in ("-r", path))]
    requested += [*(word for path in options.editable for word in ("-e", path)), *options.pkg]
    if not requested:
        raise UsageError("devpi install: error: name packages, or give -r FILE or -e ARG")
    if not options.into_own_environment:
        installers.refuse_own_environment(installer)
    info = index_option.fetch_index_info(options, context)
    if info.rejected is not None:
        context.terminal.note(f"{context.credentials.rejection(info.rejected)}; installing without it")
    variables = installers.index_variables(context, info)
    unset = {name: value for name, value in ALLOW_PRERELEASES.items() if name not in context.environ}
    return _run_installer(context, installer.command("install", "-U", *requested), {**variables, **unset})


def _run_installer(context: ClientContext, command: list[str], variables: dict[str, str]) -> int:
    from wheelgate_client.tools import programs

    prefixes = ("UV_", "SSL_") if command[1] == "pip" else ("PIP_",)
    installer_variables = {name: value for name, value in variables.items() if name.startswith(prefixes)}
    context.terminal.print_line(f"--> .$ {programs.printable_command(command, installer_variables)}")
    if programs.run_program(command, environ={**context.environ, **installer_variables}) != 0:
        raise ClientError("command failed")
    return 0
