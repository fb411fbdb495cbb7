"""Prints to the user and asks the user: the only module that uses standard input and output."""

from __future__ import annotations

import getpass

import py

from wheelgate_client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

YES_WORDS = frozenset({"yes", "y"})
NO_WORDS = frozenset({"no", "n"})


class Terminal:
    """Writes the results of a command to standard output and everything else to standard error."""

    def __init__(self, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> None:
        self._stdin = stdin
        self._out = py.io.TerminalWriter(stdout)
        self._err = py.io.TerminalWriter(stderr)

    def print_line(self, text: str = "", *, red: bool = False) -> None:
        """Print one line of the result on standard output."""
        self._out.line(printable(text), red=red)

    def print_block(self, text: str) -> None:
        """Print several lines of the result on standard output at once."""
        self._out.line("\n".join(map(printable, text.splitlines())))

    def note(self, text: str) -> None:
        """Print a line on standard error that reports no failure."""
        self._err.line(printable(text))

    def error(self, text: str) -> None:
        """Print the lines of an error message on standard error, in red."""
        for line in text.splitlines() or [""]:
            self._err.line(printable(line), red=True)

    def show_status(self, text: str) -> None:
        """Replace the status line; print nothing unless standard error is a terminal."""
        if self._err.hasmarkup:
            self._err.write(f"\r\x1b[K{printable(text)[: self._err.fullwidth - 1]}")

    def confirm(self, question: str, *, assume_yes: bool) -> bool:
        """Ask until the user types yes or no.

        Raises:
            ClientError: if standard input ends before that.
        """
        prompt = f"{question} (yes/no)? "
        if assume_yes:
            self.print_line(f"{prompt}yes (autoset from -y option)")
            return True
        while True:
            self._out.write(prompt)
            answer = self._stdin.readline()
            if not answer:
                self.print_line()
                raise ClientError("nothing was changed: the question got no answer; use -y to assume yes")
            word = answer.strip()
            if word.lower() in YES_WORDS | NO_WORDS:
                return word.lower() in YES_WORDS
            self.print_line(f"not a valid choice '{word}'")

    def ask_secret(self, prompt: str, *, otherwise: str) -> str:
        """Ask for a password without showing it; ``otherwise`` names the other ways to give it.

        Raises:
            ClientError: if there is not a terminal to ask on.
        """
        if not self._stdin.isatty():
            raise ClientError(f"no password given, and no terminal to ask for it: use {otherwise}")
        try:
            return getpass.getpass(prompt)
        except EOFError:
            raise ClientError("no password given") from None

    def ask_or_read_secret(self, prompt: str, *, otherwise: str) -> str:
        """Ask for a secret without showing it; read it from standard input if that is not a terminal."""
        return self.ask_secret(prompt, otherwise=otherwise) if self._stdin.isatty() else self.read_secret()

    def read_input(self) -> str:
        """Return all of standard input.

        Raises:
            ClientError: if it cannot be decoded.
        """
        try:
            return self._stdin.read()
        except UnicodeDecodeError as error:
            raise ClientError(f"standard input is not {error.encoding} text; nothing was sent") from None

    def read_secret(self) -> str:
        """Return all of standard input without the line end that ``echo`` adds.

        Raises:
            ClientError: if it is empty, or cannot be decoded.
        """
        secret = self.read_input().removesuffix("\n").removesuffix("\r")
        if not secret.strip("\r\n"):
            raise ClientError("standard input is empty: pipe the password or the token into this command")
        return secret


def printable(text: str) -> str:
    r"""Escape characters that a terminal might execute, as ``\x1b``: the server chooses part of the output."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode-escape").decode() for char in text)
