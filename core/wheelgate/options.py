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
    """Parses the text of flag and environment. It raises ``ValueError`` with what it expected."""
    metavar: str | None = None
    """The value in ``--help``. None makes a flag without a value; the environment and the file then take ``true`` and
    ``false``."""
    many: bool = False
    """Whether it may be given several times; in the environment with commas, in the file as a list."""
    secret: bool = False
    """Whether the value is never printed, and ``env:NAME`` and ``file:PATH`` are replaced by what they name."""
    section: str = ""
    """The section of the file, ``[plugins.<section>]``; empty for settings of the server."""

    @property
    def key(self) -> str:
        """The name, after the section if there is one."""
        return f"{self.section}-{self.name}" if self.section else self.name

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return f"--{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "DEVPISERVER_" + self.key.replace("-", "_").upper()
