"""The ``devpi`` command: finds the command, runs it, and turns errors into text and exit codes.

Modules are imported when a command needs them: the HTTP library alone costs five times as much as
``devpi --version``. For the same reason the values that every command needs are named tuples, not dataclasses, and
modules set ``TYPE_CHECKING = False``, which type checkers take for true: importing typing would cost a tenth of
``devpi --version``.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from importlib import import_module

from wheelgate_client import VERSION
from wheelgate_client.arguments import (
    HELP_COMMAND,
    CommandParser,
    DevpiParser,
    main_parser,
    parse_command,
    unknown_name,
)
from wheelgate_client.commands import ALIASES, COMMANDS
from wheelgate_client.errors import ClientError, UsageError, os_reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from wheelgate_client.context import ClientContext
    from wheelgate_client.terminal import Terminal

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``devpi`` with these arguments, by default those of the process, and return the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        code = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except UsageError as error:
        return _print_error(str(error), EXIT_USAGE)
    except ClientError as error:
        return _print_error(str(error), EXIT_FAILURE)
    except BrokenPipeError:
        _redirect_output_to_null()  # the reader, such as ``head``, needs no more
        return EXIT_FAILURE
    except OSError as error:
        _redirect_output_to_null()
        return _print_error(f"{error.filename or 'output'}: {os_reason(error)}", EXIT_FAILURE)
    except KeyboardInterrupt:
        return _print_error("interrupted", EXIT_INTERRUPTED)
    return code


def _run(arguments: Sequence[str]) -> int:
    parser = main_parser()
    try:
        options = parser.parse_args(arguments)
        if options.version:
            return _print_version(options)
        if options.command == HELP_COMMAND:
            return _run([*options.rest[:1], "--help"])
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
    with closing(_command_context(options)) as context:
        return int(command.run(options, context))


def _run_plugin_command(options: argparse.Namespace) -> int:
    parser = DevpiParser(prog="devpi")
    subparsers = parser.add_subparsers(parser_class=CommandParser)
    with closing(_command_context(options)) as context:
        context.plugins.add_commands(subparsers)
        command = subparsers.choices.get(options.command)
        if command is None:
            known = [*COMMANDS, HELP_COMMAND, *subparsers.choices]
            parser.error(f"there is no command {unknown_name(options.command, known)}")
        parse_command(command, options.rest, options)
        return int(options.run(options, context))


def _print_version(options: argparse.Namespace) -> int:
    _terminal().print_line(f"devpi (wheelgate) {VERSION}")
    if options.verbose:
        from wheelgate_client import version_report

        with closing(_command_context(options)) as context:
            version_report.print_versions(context)
    return 0


def _command_context(options: argparse.Namespace) -> ClientContext:
    from wheelgate_client.context import ClientContext

    return ClientContext(options, os.environ, _terminal())


def _terminal() -> Terminal:
    from wheelgate_client.terminal import Terminal

    # If a process starts with a stream closed, Python sets that stream to None.
    return Terminal(*(stream or io.StringIO() for stream in (sys.stdin, sys.stdout, sys.stderr)))


def _redirect_output_to_null() -> None:
    """Keep the interpreter from failing again when it flushes standard output at exit."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_error(text: str, code: int) -> int:
    _terminal().error(text)
    return code
