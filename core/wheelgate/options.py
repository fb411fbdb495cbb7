"""One declaration per option, from which flag, environment variable, key of the file and documentation are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of the server or of a plugin.

    ``Option("outside-url", …)`` is ``--outside-url`` on the command line, ``DEVPISERVER_OUTSIDE_URL`` in the
    environment and ``outside-url`` in the file; with ``section="ldap"``, ``Option("url", …)`` is ``--ldap-url``,
    ``DEVPISERVER_LDAP_URL`` and ``url`` under ``[plugins.ldap]``.
    """

    name: str
    help: str
    default: Any = None
    parse: Callable[[str], Any] = str
    """Turns the text of flag and environment into the value. Raise ``ValueError`` with what was expected."""
    metavar: str | None = None
    """None makes a flag without a value; the environment and the file then take ``true`` and ``false``."""
    many: bool = False
    """May be given several times; in the environment separated by commas, in the file a list."""
    secret: bool = False
    """Never printed; ``env:NAME`` and ``file:PATH`` are read at the start instead of being taken as they are."""
    section: str = ""

    @property
    def key(self) -> str:
        """The full name: with the section, where there is one."""
        return f"{self.section}-{self.name}" if self.section else self.name

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return f"--{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "DEVPISERVER_" + self.key.replace("-", "_").upper()
