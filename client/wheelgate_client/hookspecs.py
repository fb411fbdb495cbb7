"""What a client plugin can do: the hooks of the entry-point group ``wheelgate.client``.

A plugin is a module (or an object) registered under that group. It marks its functions with
:data:`hookimpl` and takes only the arguments it needs, by their names.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pluggy

GROUP = "wheelgate.client"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@dataclass(frozen=True, slots=True)
class Target:
    """What a configuration file is to point at."""

    simple_url: str
    """The simple index, ``http://host/user/index/+simple/``; it may carry ``user:password@``."""
    index_url: str
    """The index itself, ``http://host/user/index/``."""
    trusted_host: bool | None = None
    """True: tell the tool to trust the host without TLS. False: take that line out. None: leave it."""
    upload_url: str | None = None
    """Where uploads go, ``http://host/user/index/``; None for an index that takes none. It may carry credentials
    where the others do."""
    username: str | None = None
    """Who is to upload and install; None if nobody is logged in."""
    password: str | None = field(default=None, repr=False)
    """What proves it; None unless ``--with-login`` asked for it to be stored."""


@dataclass(frozen=True, slots=True)
class Location:
    """One configuration file of one tool, where that tool would look for it."""

    path: Path
    label: str
    """The path as it is shown, for example ``~/.pip/pip.conf``."""
    shown: bool
    """Whether ``devpi use`` lists the file although nothing is in it."""
    by_name_only: bool = False
    """Whether the file is left alone, and not shown, unless ``--for`` names its writer."""
    keeps_login: bool = False
    """Whether the file has a place for a login of its own, so that ``--with-login`` makes sense with it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one file, worked out and not yet made."""

    path: Path
    before: bytes | None
    """The file's bytes now; None if there is no such file."""
    after: bytes | None
    """The file's bytes once the edit is made; None removes the file."""
    has_secret: bool
    """True if ``after`` carries a credential: the file is then written for its owner only."""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """What ``--dry-run`` hides of ``before`` and ``after``, beyond the passwords in URLs."""


class ConfigWriter(Protocol):
    """Reads and edits the configuration file of one tool.

    ``plan`` and ``unplan`` are pure: they read the file and return what it should become. The client makes the
    edit (backup, atomic replacement, mode), or prints it as a diff for ``--dry-run``.
    """

    name: str
    """What ``--for`` calls it: the tool, such as ``pip``, or the file, such as ``netrc``."""

    def location(self, venv: Path | None) -> Location | None:
        """Where the tool looks: for the user, or inside the virtual environment ``venv``. None: nowhere."""

    def read(self, path: Path) -> str | None:
        """Return what ``devpi use`` is to show of the file, or None if it says nothing.

        That is the index URL that the file makes the tool use, where there is one. Raise ``ConfigError`` if the file
        cannot be read.
        """

    def plan(self, path: Path, target: Target) -> Edit:
        """Work out the edit that points the tool at ``target``, keeping every other byte. Raise ``ConfigError``."""

    def unplan(self, path: Path, server_url: str) -> Edit:
        """Work out the edit that takes out what points at the server ``server_url``. Raise ``ConfigError``."""


class ConfigError(Exception):
    """A configuration file cannot be read or edited; the text says which, why, and what to do."""


@hookspec
def wheelgate_client_config_writers() -> Iterable[ConfigWriter]:  # type: ignore[empty-body]
    """Return the writers of the tools that the plugin knows, in the order in which ``devpi use`` lists them.

    Called once by ``devpi use``. Two writers of one ``name`` are an error that names both plugins. A writer that
    raises costs one line on the terminal; the others go on.
    """


@hookspec(firstresult=True)
def wheelgate_client_get_password(url: str, username: str) -> str | None:
    """Return the password of ``username`` at the server ``url``, or None to leave the question to the next.

    Called by ``devpi login`` when neither an option nor the environment gave a password, before the prompt. A
    plugin that raises is named on standard error and the next one is asked; the ``keyring`` library comes last.
    """


@hookspec
def wheelgate_client_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add subcommands to ``devpi``.

    Called when the command at hand is none of the client's own; ``devpi --help`` stays quick and names only
    ``devpi plugins``. The generic options, such as ``-y``, are added to each parser by the client. Give each parser
    ``set_defaults(run=function)``; the function takes the parsed arguments and the session, and returns the exit
    code. A plugin that raises is named on standard error and its commands are absent.
    """
