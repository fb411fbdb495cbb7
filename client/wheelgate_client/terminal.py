"""What the client says, and what it asks: the only module that touches standard input and output."""

from __future__ import annotations

import getpass

import py

from wheelgate_client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


class Terminal:
    """Standard output for what was asked for, standard error for everything else."""

    def __init__(self, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> None:
        self._stdin = stdin
        self._out = py.io.TerminalWriter(stdout)
        self._err = py.io.TerminalWriter(stderr)

    def line(self, text: str = "", *, red: bool = False) -> None:
        """Print one line of the answer."""
        self._out.line(printable(text), red=red)

    def block(self, text: str) -> None:
        """Print lines of the answer at once."""
        self._out.line("\n".join(map(printable, text.splitlines())))

    def note(self, text: str) -> None:
        """Print a line on standard error that is no failure."""
        self._err.line(printable(text))

    def error(self, text: str) -> None:
        """Print on standard error what failed."""
        for line in text.splitlines() or [""]:
            self._err.line(printable(line), red=True)

    def status(self, text: str) -> None:
        """Show how far something is, in the place of what was shown last; nothing unless somebody looks."""
        if self._err.hasmarkup:
            self._err.write(f"\r\x1b[K{printable(text)[: self._err.fullwidth - 1]}")

    def confirm(self, question: str, *, assume_yes: bool) -> bool:
        """Ask until the answer is yes or no.

        Raises:
            ClientError: if standard input ends before that.
        """
        prompt = f"{question} (yes/no)? "
        if assume_yes:
            self.line(f"{prompt}yes (autoset from -y option)")
            return True
        while True:
            self._out.write(prompt)
            answer = self._stdin.readline()
            if not answer:
                self.line()
                raise ClientError("nothing was changed: nobody answered the question; use -y to assume yes")
            word = answer.strip()
            if word in {"yes", "no"}:
                return word == "yes"
            self.line(f"not a valid choice '{word}'")

    def secret(self, prompt: str, *, otherwise: str) -> str:
        """Ask for a password without showing it; ``otherwise`` says how else to give it.

        Raises:
            ClientError: if there is no terminal to ask on.
        """
        if not self._stdin.isatty():
            raise ClientError(f"no password given, and no terminal to ask for it: use {otherwise}")
        try:
            return getpass.getpass(prompt)
        except EOFError:
            raise ClientError("no password given") from None

    def hidden(self, prompt: str, *, otherwise: str) -> str:
        """Ask for a secret without showing it, or read it from standard input where that is no terminal."""
        return self.secret(prompt, otherwise=otherwise) if self._stdin.isatty() else self.read_secret()

    def read(self) -> str:
        """Return all of standard input.

        Raises:
            ClientError: if it is no text.
        """
        try:
            return self._stdin.read()
        except UnicodeDecodeError as error:
            raise ClientError(f"standard input is not {error.encoding} text; nothing was sent") from None

    def read_secret(self) -> str:
        """Return all of standard input without the line end that ``echo`` adds."""
        return self.read().removesuffix("\n").removesuffix("\r")


def printable(text: str) -> str:
    r"""Escape what a terminal might obey, as ``\x1b``: a server chooses part of what is printed."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode-escape").decode() for char in text)
