"""The command line: the options before the command, and the parser of one command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from wheelgate_client.commands import COMMAND_GROUPS, COMMANDS
from wheelgate_client.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

DEFAULT_TIMEOUT_SECONDS = 60.0

HELP_COMMAND = "help"
"""``devpi help`` shows the help, and ``devpi help COMMAND`` that of a command."""
NAMES_TO_LIST = 6
"""The most names that a message about a wrong one lists; more belong into the help."""

_DESCRIPTION = """Manage the packages, users, indices and logins of a private Python package
index, and configure the tools that install from it.

first steps:
  devpi use http://localhost:3141       select the server
  devpi user -c alice                   create a user
  devpi login alice                     log in
  devpi index -c dev bases=root/pypi    create an index of your own
  devpi use alice/dev                   select it
  devpi upload                          build this project, and upload it
  devpi install --venv .venv NAME       install from the index

Type 'devpi help COMMAND' for the options of a command."""

_ENVIRONMENT = """environment:
  DEVPI_CLIENTDIR   same as --clientdir
  DEVPI_INDEX       index to use instead of the one that 'devpi use' selected
  DEVPI_USER        which of several logins to use
  DEVPI_PASSWORD    password for 'devpi login'
  DEVPI_TOKEN       API token to send to the server in use instead of a login
  SSL_CERT_FILE     trust these authorities, not the system's (or SSL_CERT_DIR)
  DEVPI_NO_PLUGIN   names of plugins to leave out, separated by commas"""


class DevpiParser(argparse.ArgumentParser):
    """Raises usage errors, so that ``main`` can print them in one line."""

    def error(self, message: str) -> NoReturn:
        """Raise :class:`UsageError`, where argparse would print the usage and end the process."""
        _, unknown, words = message.partition("unrecognized arguments: ")
        option = words.partition(" ")[0].partition("=")[0]
        if unknown and option.startswith("--"):
            message += did_you_mean(option, [name for name in self._option_string_actions if name.startswith("--")])
        raise UsageError(f"{self.prog}: error: {message}; see '{self.prog} --help'")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            raise argparse.ArgumentError(action, f"invalid choice: {unknown_name(str(value), known)}")


def unknown_name(name: str, known: Sequence[str]) -> str:
    """Return the rest of a message about an unknown name: the nearest known one, and the others if they are few."""
    near = did_you_mean(name, known)
    listed = f" (choose from {', '.join(known)})" if len(known) <= NAMES_TO_LIST or not near else ""
    return f"'{name}'{near}{listed}"


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return the nearest known name as a question; empty if none is similar."""
    import difflib  # only wrong command lines need it

    near = difflib.get_close_matches(name, known, n=1)
    return f", did you mean '{near[0]}'?" if near else ""


class CommandParser(DevpiParser):
    """The parser of one command; it also accepts the generic options after the command."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        add_generic_options(self, after_command=True)


def main_parser() -> DevpiParser:
    """Return the parser that finds the command and leaves the arguments after it in ``rest``."""
    width = max(map(len, COMMANDS))
    groups = [
        "\n".join([f"{title}:", *(f"  {name:<{width}}  {summary}" for name, summary in commands.items())])
        for title, commands in COMMAND_GROUPS.items()
    ]
    epilog = "\n\n".join([*groups, "plugins may add commands: see 'devpi plugins'", _ENVIRONMENT])
    parser = DevpiParser(
        prog="devpi",
        usage="devpi [OPTIONS] COMMAND ...",
        description=_DESCRIPTION,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-V", "--version", action="store_true", help="show the version; with -v also plugins and server"
    )
    add_generic_options(parser, after_command=False)
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def add_generic_options(parser: argparse.ArgumentParser, *, after_command: bool) -> None:
    """Add the options of every command; those after the command only override those before it."""

    def default(value: object) -> object:
        return argparse.SUPPRESS if after_command else value

    group = parser.add_argument_group("generic options")
    group.add_argument("--debug", action="store_true", default=default(False), help="log each step on stderr")
    group.add_argument(
        "-y", dest="yes", action="store_true", default=default(False), help="assume 'yes' on confirmation questions"
    )
    group.add_argument("-v", "--verbose", action="store_true", default=default(False), help="show more details")
    group.add_argument(
        "--clientdir",
        metavar="DIR",
        default=default(None),
        help="directory for logins and other state (default: ~/.devpi/client)",
    )
    group.add_argument(
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        default=default(DEFAULT_TIMEOUT_SECONDS),
        help="give up when the server sends nothing for this long (default: 60)",
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError(text)
    return seconds


def parse_command(parser: argparse.ArgumentParser, rest: Sequence[str], options: argparse.Namespace) -> None:
    """Parse the arguments of a command into ``options``; they may mix options and names in any order."""
    parser.parse_intermixed_args(rest, options)
