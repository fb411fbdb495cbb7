"""The ``devpi-server`` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from wheelgate import logs
from wheelgate.commands import CORE_COMMANDS, serve
from wheelgate.commands.context import ServerContext
from wheelgate.config import Config, add_flags, resolve, unknown_name
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.errors import Refusal, StartupError
from wheelgate.option_help import SUBCOMMAND_OPTIONS, option_groups
from wheelgate.options import Option
from wheelgate.plugin_host.discovery import Plugins, discover, refuse_reserved
from wheelgate.subcommands import Command

BOOT_OPTIONS = tuple(option for option in CORE_OPTIONS if option.name in ("config", "no-plugin"))
"""The options to read first, because they decide which other options exist."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0, 1 for a refusal, 2 for wrong usage."""
    logs.open_standard_streams()
    logs.configure_logging()
    try:
        return run(sys.argv[1:] if argv is None else argv)
    except (StartupError, Refusal) as error:
        print(f"devpi-server: {error}", file=sys.stderr)
        return 1


def init() -> int:
    """Run ``devpi-init``: scripts call ``devpi-server init`` by this name."""
    return main(["init", *sys.argv[1:]])


def passwd() -> int:
    """Run ``devpi-passwd``: scripts call ``devpi-server passwd`` by this name."""
    return main(["passwd", *sys.argv[1:]])


def run(argv: Sequence[str]) -> int:
    """Parse the command line, and run the subcommand or the server."""
    plugins = find_plugins(argv)
    options = all_options(plugins)
    parser = make_parser(option_groups(CORE_OPTIONS, plugins.options()), all_commands(plugins))
    arguments = parser.parse_args(argv)
    flags = {option.key: vars(arguments).pop(option.key) for option in options if option.key in arguments}

    def load() -> tuple[Config, Plugins]:
        found = find_plugins(argv)
        return resolve(all_options(found), flags, os.environ), found

    context = ServerContext(plugins, lambda: resolve(options, flags, os.environ))
    command: Command | None = getattr(arguments, "command", None)
    return serve(context, load) if command is None else command.run(arguments, context)


def find_plugins(argv: Sequence[str]) -> Plugins:
    """Find the plugins that are not left out, before their options are known."""
    boot = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    add_flags(boot, BOOT_OPTIONS)
    try:
        flags, _ = boot.parse_known_args(argv)
    except argparse.ArgumentError:
        flags = argparse.Namespace()  # the parser of the whole command line has a better message
    return discover(resolve(BOOT_OPTIONS, vars(flags), os.environ, partly=True)["no-plugin"])


def all_options(plugins: Plugins) -> list[Option]:
    """Return the options of the server and of its plugins."""
    return [*CORE_OPTIONS, *(option for _, option in plugins.options())]


def all_commands(plugins: Plugins) -> list[Command]:
    """Return the subcommands of the server and of its plugins."""
    provided = plugins.collect("wheelgate_commands", lambda command: command.name)
    refuse_reserved(provided, "command", {command.name for command in CORE_COMMANDS}, lambda command: command.name)
    return [*CORE_COMMANDS, *(command for _, command in provided)]


DESCRIPTION = """A private Python package index that you extend with plugins.

first steps:
  devpi-server                          start on http://localhost:3141
  devpi-server passwd root              set the password of root
  devpi use http://localhost:3141       in another terminal: use the server"""
EPILOG = """You can set every option in the environment, by the variable in brackets, and
in the file that --config names. TIME is a number of seconds, or a number with
a unit, such as 30m, 10h, 7d or 2w. SIGTERM stops the server gracefully, SIGHUP
makes it read its settings again."""


class Parser(argparse.ArgumentParser):
    """An argument parser that names the option that the user may have meant."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, **kwargs)
        self._subparsers_action: Any = None

    def add_subparsers(self, **kwargs: Any) -> Any:
        """Add subcommands, and remember their parsers."""
        self._subparsers_action = super().add_subparsers(**kwargs)
        return self._subparsers_action

    def with_subparsers(self) -> Iterator[Parser]:
        """Yield this parser, and those of its subcommands at every depth."""
        yield self
        if self._subparsers_action is not None:
            for parser in self._subparsers_action.choices.values():
                yield from parser.with_subparsers()

    def take_arguments(self, other: Parser) -> None:
        """Accept the arguments of another parser as well, in the groups that it has them in."""
        self._add_container_actions(other)

    def option_strings(self) -> Iterator[str]:
        """Yield the options of this parser, such as ``--port``."""
        yield from self._option_string_actions

    def destinations(self) -> Iterator[str]:
        """Yield the attributes in which this parser stores its arguments."""
        yield from (action.dest for action in self._actions)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and name the nearest option for an unknown one."""
        known = [flag for parser in self.with_subparsers() for flag in parser.option_strings()]
        for name in (word.partition("=")[0] for word in args):
            if name.startswith("--") and name not in known:
                # argparse would take the value of the option for a subcommand, and complain about that.
                self.error(unknown_name("option", name, known))
        parsed, rest = self.parse_known_args(args, namespace)
        if rest:
            name = rest[0].partition("=")[0]
            self.error(unknown_name("option" if name.startswith("-") else "argument", name, known))
        return parsed

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action is not self._subparsers_action or value in action.choices:
            super()._check_value(action, value)
            return
        known = list(action.choices)
        raise argparse.ArgumentError(None, f"{unknown_name('command', value, known)} (there are {', '.join(known)})")

    def error(self, message: str) -> NoReturn:
        """Print what is wrong in one line."""
        self.exit(2, f"devpi-server: {message}; see 'devpi-server --help'\n")


def make_parser(groups: Mapping[str, Sequence[Option]], commands: Sequence[Command]) -> Parser:
    """Create the parser of the whole command line.

    Args:
        groups: the options by the titles above them in the help.
        commands: the subcommands.

    Raises:
        StartupError: an argument of a subcommand has the name of an option.
    """
    from wheelgate.app import SERVER_VERSION

    parser = Parser(
        prog="devpi-server",
        usage="devpi-server [OPTIONS] [COMMAND ...]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-V",
        "--version",
        action="version",
        version=f"devpi-server (wheelgate) {SERVER_VERSION}",
        help="show the version and exit",
    )
    subparsers = parser.add_subparsers(
        metavar="COMMAND", title="commands (without one, the server starts)", prog="devpi-server"
    )
    for title, options in groups.items():
        add_flags(parser.add_argument_group(title), options)
    every = [option for options in groups.values() for option in options]
    # Made once for all subcommands: to make an argument takes ten times as long as to accept one that exists.
    settings = subcommand_flags(every)
    for command in commands:
        subparser = subparsers.add_parser(command.name, help=command.help, description=f"{sentence(command.help)}.")
        command.register(subparser)
        for each in subparser.with_subparsers():
            refuse_option_names(command, each, every)
            each.set_defaults(command=command)
            each.take_arguments(settings)
    return parser


def sentence(text: str) -> str:
    """Return a text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def subcommand_flags(options: Iterable[Option]) -> Parser:
    """Return a parser of all settings for the subcommands; it shows only those that say which server it is about."""
    parser = Parser(add_help=False)
    shown = [option for option in options if option.name in SUBCOMMAND_OPTIONS and not option.section]
    group = parser.add_argument_group("which server", "All other settings work too: see 'devpi-server --help'.")
    add_flags(group, shown)
    add_flags(parser, [option for option in options if option not in shown], hidden=True)
    return parser


def refuse_option_names(command: Command, parser: Parser, options: Sequence[Option]) -> None:
    """Raise ``StartupError`` if an argument of a subcommand would be taken for an option."""
    names = {name for option in options for name in (option.key, option.flag)}
    names |= {option.negated_flag for option in options if option.metavar is None}
    taken = names.intersection((*parser.destinations(), *parser.option_strings()))
    if taken:
        raise StartupError(f"command '{command.name}': its argument '{min(taken)}' is a setting of the server")
