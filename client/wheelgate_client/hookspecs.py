"""The contract of the client: every hook that a plugin of the entry-point group ``wheelgate.client`` can implement.

A plugin is a module, or an object, registered under that group. It marks its functions with :data:`hookimpl`. A
function takes only the arguments that it needs, by their names.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pluggy

CLIENT_PLUGIN_GROUP = "wheelgate.client"

hookspec = pluggy.HookspecMarker(CLIENT_PLUGIN_GROUP)
hookimpl = pluggy.HookimplMarker(CLIENT_PLUGIN_GROUP)


@dataclass(frozen=True, slots=True)
class Target:
    """The index that a configuration file should point at."""

    simple_url: str
    """The simple index, ``http://host/user/index/+simple/``; it may contain ``user:password@``."""
    index_url: str
    """The index itself, ``http://host/user/index/``."""
    trusted_host: bool | None = None
    """True: tell the tool to trust the host without TLS. False: remove that setting. None: leave it alone."""
    upload_url: str | None = None
    """The URL to upload to, ``http://host/user/index/``; None for an index that takes no uploads. It may contain
    credentials, as the other URLs may."""
    username: str | None = None
    """The user who uploads and installs; None if no user is logged in."""
    password: str | None = field(default=None, repr=False)
    """The password or token of that user; None unless ``--with-login`` asks to store it."""


@dataclass(frozen=True, slots=True)
class Location:
    """One configuration file of one tool, at the path where that tool looks for it."""

    path: Path
    label: str
    """The path as ``devpi use`` shows it, for example ``~/.pip/pip.conf``."""
    listed_when_unset: bool
    """Whether ``devpi use`` lists the file even if it names no index."""
    by_name_only: bool = False
    """Whether ``devpi use`` shows and changes the file only if ``--for`` names its writer."""
    stores_login: bool = False
    """Whether the file can store a login, so that ``--with-login`` makes sense with it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A planned change of one file."""

    path: Path
    before: bytes | None
    """The current content of the file; None if there is no such file."""
    after: bytes | None
    """The content of the file after the edit; None removes the file."""
    has_secret: bool
    """True if ``after`` contains a credential: the client then writes the file for its owner only."""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """Texts in ``before`` and ``after`` that ``--dry-run`` hides, in addition to the passwords in URLs."""


class ConfigWriter(Protocol):
    """Reads and edits the configuration file of one tool.

    ``plan`` and ``plan_removal`` change nothing: they read the file and return its new content. The client makes the
    edit (backup, atomic replacement, mode), or prints it as a diff for ``--dry-run``.
    """

    name: str
    """The name for ``--for``: the tool, such as ``pip``, or the file, such as ``netrc``."""

    def location(self, venv: Path | None) -> Location | None:
        """Return where the tool looks: for the user, or inside the virtual environment ``venv``; None for nowhere."""

    def status(self, path: Path) -> str | None:
        """Return the text that ``devpi use`` shows for the file, or None if nothing is configured.

        This is the URL of the index that the tool uses because of the file, if there is one. Raise ``ConfigError`` if
        the file cannot be read.
        """

    def plan(self, path: Path, target: Target) -> Edit:
        """Plan the edit that points the tool at ``target`` and keeps every other byte. Raise ``ConfigError``."""

    def plan_removal(self, path: Path, server_url: str) -> Edit:
        """Plan the edit that removes the settings that point at the server ``server_url``. Raise ``ConfigError``."""


class ConfigError(Exception):
    """A configuration file cannot be read or edited; the text says which, why, and what to do."""


@hookspec
def wheelgate_client_config_writers() -> Iterable[ConfigWriter]:  # type: ignore[empty-body]
    """Return the writers of the tools that the plugin knows, in the order in which ``devpi use`` lists them.

    Called once by ``devpi use``. If two writers have the same ``name``, the command ends with an error that names
    both plugins. If a writer raises, the command prints one line about it and goes on with the others.
    """


@hookspec(firstresult=True)
def wheelgate_client_get_password(url: str, username: str) -> str | None:
    """Return the password of ``username`` at the server ``url``, or None to leave the question to the next plugin.

    Called by ``devpi login`` before the prompt, if neither an option nor the environment gave a password. If a plugin
    raises, the client names it on standard error and asks the next one; the ``keyring`` library comes last.
    """


@hookspec
def wheelgate_client_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add subcommands to ``devpi``.

    Called only if the client itself has no command of the given name; ``devpi --help`` stays quick and names only
    ``devpi plugins``. The client adds the generic options, such as ``-y``, to each parser. Give each parser
    ``set_defaults(run=function)``; the function takes the parsed arguments and the
    :class:`~wheelgate_client.context.ClientContext`, and returns the exit code. If a plugin raises, the client names
    it on standard error and leaves out its commands.
    """
