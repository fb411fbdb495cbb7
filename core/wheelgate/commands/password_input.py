"""Reads passwords for subcommands: from a terminal, or from standard input."""

from __future__ import annotations

import argparse
import getpass
import sys

from wheelgate.errors import BadInput, StartupError
from wheelgate.password_text import normalized_password


def add_password_stdin(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--password-stdin``."""
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def read_password(prompt: str, *, from_stdin: bool, repeat: bool = False) -> str:
    """Read a password, in Unicode's normal form NFC.

    Args:
        prompt: the question at a terminal, without colon.
        from_stdin: read one line of standard input instead of asking.
        repeat: ask twice at a terminal.

    Raises:
        StartupError: there is no terminal.
        BadInput: the password is empty or too long, or the two passwords differ.
    """
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise BadInput("standard input has no password in its first line; pipe one in; nothing was changed")
        return normalized_password(password)
    if not sys.stdin.isatty():
        raise StartupError("there is no terminal to ask for the password; pipe it in with --password-stdin")
    password = ask(f"{prompt}: ")
    if repeat and ask(f"repeat {prompt}: ") != password:
        raise BadInput("the two passwords differ; nothing was changed")
    return normalized_password(password)


def ask(question: str) -> str:
    """Ask for a password at the terminal.

    Raises:
        BadInput: the answer is empty, or the input ends.
    """
    try:
        password = getpass.getpass(question)
    except EOFError:
        password = ""
    if not password:
        raise BadInput("the password is empty; type one; nothing was changed")
    return password
