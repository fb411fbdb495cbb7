"""The ``devpi`` command: finds the command, runs it, and turns what went wrong into text and exit code.

Modules are imported when the command at hand needs them: the HTTP library alone costs five times what
``devpi --version`` does. For the same reason the values that every command needs are named tuples, not dataclasses.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from importlib import import_module

from wheelgate_client import VERSION
from wheelgate_client.arguments import CommandParser, Parser, main_parser, parse_command
from wheelgate_client.commands import ALIASES, COMMANDS
from wheelgate_client.errors import ClientError, UsageError, reason

TYPE_CHECKING = False  # what type checkers take for true; importing typing would cost a tenth of ``--version``
if TYPE_CHECKING:
    import argparse

    from wheelgate_client.session import Session
    from wheelgate_client.terminal import Terminal

FAILED = 1
USAGE = 2
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``devpi`` with these arguments, by default those of the process, and return the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        code = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except UsageError as error:
        return _failed(str(error), USAGE)
    except ClientError as error:
        return _failed(str(error), FAILED)
    except BrokenPipeError:
        _drop_output()  # whoever read it has seen enough
        return FAILED
    except OSError as error:
        _drop_output()
        return _failed(f"{error.filename or 'output'}: {reason(error)}", FAILED)
    except KeyboardInterrupt:
        return _failed("interrupted", INTERRUPTED)
    return code


def _run(arguments: Sequence[str]) -> int:
    parser = main_parser()
    try:
        options = parser.parse_args(arguments)
        if options.version:
            return _show_version(options)
        if options.command is None:
            parser.print_help()
            return 0
        return _run_command(options)
    except SystemExit as stop:
        if stop.code:
            raise
        return 0  # argparse has printed the help


def _run_command(options: argparse.Namespace) -> int:
    name = ALIASES.get(options.command, options.command)
    if name not in COMMANDS:
        return _run_plugin_command(options)
    command = import_module(f"wheelgate_client.commands.{name}")
    parser = CommandParser(prog=f"devpi {options.command}", description=command.__doc__)
    command.register(parser)
    parse_command(parser, options.rest, options)
    with closing(_session(options)) as session:
        return int(command.run(options, session))


def _run_plugin_command(options: argparse.Namespace) -> int:
    parser = Parser(prog="devpi")
    subparsers = parser.add_subparsers(parser_class=CommandParser)
    with closing(_session(options)) as session:
        session.plugins.add_commands(subparsers)
        command = subparsers.choices.get(options.command)
        if command is None:
            known = ", ".join([*COMMANDS, *subparsers.choices])
            parser.error(f"invalid choice: '{options.command}' (choose from {known})")
        parse_command(command, options.rest, options)
        return int(options.run(options, session))


def _show_version(options: argparse.Namespace) -> int:
    _terminal().line(f"devpi (wheelgate) {VERSION}")
    if options.verbose:
        from wheelgate_client import versions

        with closing(_session(options)) as session:
            versions.show(session)
    return 0


def _session(options: argparse.Namespace) -> Session:
    from wheelgate_client.session import Session

    return Session(options, os.environ, _terminal())


def _terminal() -> Terminal:
    from wheelgate_client.terminal import Terminal

    # A process that was started with a stream closed has None in its place.
    return Terminal(*(stream or io.StringIO() for stream in (sys.stdin, sys.stdout, sys.stderr)))


def _drop_output() -> None:
    """Spare the interpreter the same failure when it flushes at exit."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(text: str, code: int) -> int:
    _terminal().error(text)
    return code
