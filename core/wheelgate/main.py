"""The ``devpi-server`` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from wheelgate import logs
from wheelgate.config import CORE_OPTIONS, Config, add_flags, settle, unknown
from wheelgate.errors import Refusal, StartupError
from wheelgate.options import Option
from wheelgate.plugin_host.discovery import Plugins, discover

BOOT = tuple(option for option in CORE_OPTIONS if option.name in ("config", "no-plugin"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0, 1 for a refusal, 2 for wrong usage."""
    given = sys.argv[1:] if argv is None else list(argv)
    logs.configure()
    try:
        return run(given)
    except (StartupError, Refusal) as error:
        print(f"devpi-server: {error}", file=sys.stderr)
        return 1


def run(given: list[str]) -> int:
    """Read the command line and do what it says."""
    plugins = find_plugins(given)
    options = [*CORE_OPTIONS, *(option for _, option in plugins.options())]
    parser = make_parser(options)
    flags = vars(parser.parse_args(given))
    command = flags.pop("command", None)
    own = ("user", "password_stdin", "repair", "no_hashes")
    arguments = {name: flags.pop(name) for name in own if name in flags}

    def load() -> tuple[Config, Plugins]:
        found = find_plugins(given)
        return settle([*CORE_OPTIONS, *(option for _, option in found.options())], flags, os.environ), found

    if command == "plugins":
        from wheelgate.commands.plugins import list_plugins

        list_plugins(plugins)
        return 0
    config = settle(options, flags, os.environ)
    if command == "passwd":
        from wheelgate.commands.passwd import set_password

        return set_password(config, plugins, **arguments)
    if command == "auth test":
        from wheelgate.commands.auth import try_login

        return try_login(config, plugins, **arguments)
    if command == "fsck":
        from wheelgate.commands.fsck import check_files

        return check_files(config, plugins, **arguments)
    from wheelgate.process.master import WebServer
    from wheelgate.process.startup import lock_folder, make_folder, prepare_server

    make_folder(config.serverdir)
    lock = lock_folder(config.serverdir)
    prepare_server(config, plugins)
    WebServer(load, lock).run()
    return 0


def find_plugins(given: Sequence[str]) -> Plugins:
    """Find the plugins; which are left out must be known before their options are."""
    boot = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    add_flags(boot, BOOT)
    try:
        flags, _ = boot.parse_known_args(given)
    except argparse.ArgumentError:
        flags = argparse.Namespace()  # the whole parser will say it better
    return discover(settle(BOOT, vars(flags), os.environ, partly=True)["no-plugin"])


class Parser(argparse.ArgumentParser):
    """An argument parser that says which option was meant."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, **kwargs)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and name the nearest option for one that is unknown."""
        known = [*self._option_string_actions, "--password-stdin", "--repair", "--no-hashes"]
        for name in (word.partition("=")[0] for word in args):
            if name.startswith("--") and name not in known:
                # Said here, for argparse would take its value for a command and complain of that.
                self.error(unknown("option", name, known))
        parsed, rest = self.parse_known_args(args, namespace)
        if rest:
            name = rest[0].partition("=")[0]
            self.error(unknown("option" if name.startswith("-") else "argument", name, self._option_string_actions))
        return parsed

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line."""
        self.exit(2, f"devpi-server: {message}; see 'devpi-server --help'\n")


def make_parser(options: Sequence[Option]) -> Parser:
    """Make the parser of the whole command line."""
    from wheelgate.app import VERSION

    parser = Parser(
        prog="devpi-server",
        description="A private Python package index whose front door is plugins.",
        epilog="Every option is also read from the environment (--outside-url from DEVPISERVER_OUTSIDE_URL) and from "
        "the file that --config names. SIGTERM ends the server gracefully, SIGHUP makes it read its settings again.",
    )
    parser.add_argument("--version", action="version", version=f"devpi-server (wheelgate) {VERSION}")
    add_flags(parser, options)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands, instead of serving")
    passwd = commands.add_parser("passwd", help="set a user's password, also while the server runs")
    passwd.add_argument("user", metavar="USER")
    passwd.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    plugins = commands.add_parser("plugins", help="list the installed plugins, their hooks and settings")
    auth = commands.add_parser("auth", help="try the login services")
    trials = auth.add_subparsers(dest="command", metavar="COMMAND", required=True)
    trial = trials.add_parser("test", help="say what each login service answers to a user's password; changes nothing")
    trial.set_defaults(command="auth test")
    trial.add_argument("user", metavar="USER")
    trial.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    fsck = commands.add_parser("fsck", help="check the stored files of a server that is stopped")
    fsck.add_argument("--repair", action="store_true", help="remove what nobody needs, put damaged files aside")
    fsck.add_argument("--no-hashes", action="store_true", help="compare sizes alone, without reading every file")
    for command in (passwd, plugins, trial, fsck):
        add_flags(command, options)
    return parser
