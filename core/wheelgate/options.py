"""Declares an option once: its flag, environment variable, key in the file and documentation follow from that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """A setting of the server or of a plugin.

    ``Option("outside-url", …)`` is ``--outside-url`` on the command line, ``DEVPISERVER_OUTSIDE_URL`` in the
    environment and ``outside-url`` in the file; with ``section="ldap"``, ``Option("url", …)`` is ``--ldap-url``,
    ``DEVPISERVER_LDAP_URL`` and ``url`` under ``[plugins.ldap]``.
    """

    name: str
    help: str
    default: Any = None
    parse: Callable[[str], Any] = str
    """Parses the text of the flag or the environment variable. Raises ``ValueError`` with a description of the valid
    form, such as ``a whole number from 1 to 64``."""
    metavar: str | None = None
    """The name of the value in ``--help``. None declares a flag without a value; the environment and the file then take
    ``true`` and ``false``, or a word that :func:`~wheelgate.option_types.boolean` reads."""
    many: bool = False
    """Whether the option takes several values: repeated on the command line, separated by commas in the environment, a
    list in the file."""
    secret: bool = False
    """Whether the server never prints the value, and reads ``env:NAME`` from another environment variable and
    ``file:PATH`` from a file."""
    section: str = ""
    """The section of the file, ``[plugins.<section>]``; empty for settings of the server."""

    aliases: tuple[str, ...] = ()
    """Further names of an option without a value, for the flag and the environment variable."""

    names_proxy: bool = False
    """Whether a value means that a proxy stands in front of the server, so that other machines can reach it."""

    first_start: bool = False
    """Whether the value counts only when the database is made, so that a command that makes it needs the same one."""

    @property
    def key(self) -> str:
        """The name, with the section before it if there is one: the key in ``server.config``."""
        return f"{self.section}-{self.name}" if self.section else self.name

    @property
    def flag(self) -> str:
        """The option on the command line, such as ``--outside-url``."""
        return f"--{self.key}"

    @property
    def negated_flag(self) -> str:
        """The flag that turns off an option without a value: ``--no-x`` for ``--x``, but ``--x`` for ``--no-x``."""
        positive = self.key.removeprefix("no-")
        return f"--{positive}" if positive != self.key else f"--no-{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable, such as ``DEVPISERVER_OUTSIDE_URL``."""
        return variable_of(self.key)


def variable_of(key: str) -> str:
    """Return the environment variable of the option with that key."""
    return "DEVPISERVER_" + key.replace("-", "_").upper()
