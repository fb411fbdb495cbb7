"""Reads the settings: flags come before the environment, the environment before the file, the file before defaults."""

from __future__ import annotations

import argparse
import os
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from wheelgate.errors import StartupError
from wheelgate.loopback import is_loopback
from wheelgate.names import did_you_mean
from wheelgate.option_help import describe_option
from wheelgate.option_types import boolean
from wheelgate.options import Option, variable_of
from wheelgate.secret_file import read_secret
from wheelgate.values import EMPTY_MAPPING

ENVIRONMENT_PREFIX = "DEVPISERVER_"
LEAST_SIMILARITY_OF_SETTINGS = 0.5
"""The same as for other names, but lower: the names of settings are long, and users leave out words."""
SECRET_PLACES = ("env:", "file:")
"""How a value begins that names the place of a secret."""


class Config(Mapping[str, Any]):
    """The settings in force, by the keys of their options."""

    def __init__(
        self,
        values: Mapping[str, Any],
        options: Iterable[Option],
        given: Iterable[str],
        secret_files: Mapping[str, Path] = EMPTY_MAPPING,
    ) -> None:
        """Take the values.

        Args:
            values: the values by the keys of their options.
            options: the options.
            given: the keys that the command line or the environment gives, which a command for this server repeats.
            secret_files: the files that hold a secret, by the place that gives it; see :attr:`secret_files`.
        """
        self.secret_files = secret_files
        """The files from which secrets come, each by the place of its setting, such as ``--root-passwd``; the file of
        the settings too, if it holds a secret itself."""
        self._values = dict(values)
        self._options = tuple(options)
        self._given = frozenset(given)
        self._secrets = frozenset(option.key for option in self._options if option.secret)
        self._secret = b""

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        shown = {key: "…" if key in self._secrets and value else value for key, value in self._values.items()}
        return f"Config({shown})"

    @property
    def serverdir(self) -> Path:
        """The folder for the server's data."""
        return Path(self["serverdir"]).expanduser().absolute()

    @property
    def database_url(self) -> str:
        """The URL of the database."""
        return self["database"] or f"sqlite:///{self.serverdir / 'wheelgate.db'}"

    @property
    def secret_path(self) -> Path:
        """The file with the secret."""
        given = self["secretfile"]
        return Path(given).expanduser().absolute() if given else self.serverdir / ".secret"

    def read_secret(self) -> bytes:
        """Return the secret, which is read once.

        The master reads it before it starts workers. So a file that is removed, cut or replaced while the server runs
        changes nothing before the settings are read again.

        Raises:
            StartupError: the file cannot be read, is too weak, or can be read by other users of the machine.
        """
        self._secret = self._secret or read_secret(self.secret_path, given=self["secretfile"] is not None)
        return self._secret

    @property
    def exposed_by(self) -> str:
        """The option that lets other machines reach the server; empty if only this machine can reach it."""
        for host in self["host"]:
            if not is_loopback(host):
                return f"--host {host}"
        return next((option.flag for option in self._options if option.names_proxy and self[option.key]), "")

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server: it listens on loopback, and no setting names a proxy."""
        return not self.exposed_by

    def command(self, *words: str, new: bool = False) -> str:
        """Return the command line of ``devpi-server`` that runs a subcommand for this very server.

        Args:
            words: the subcommand and its arguments; none to start the server.
            new: whether the command makes the server, and so needs the settings that count only then.
        """
        line = ["devpi-server", *words]
        for key in ("config", "serverdir", "secretfile"):
            if key in self._given:
                line += [f"--{key}", shlex.quote(str(Path(self[key]).expanduser().absolute()))]
        repeated = ("database", *(option.key for option in self._options if new and option.first_start))
        for option in self._options:
            if option.key in repeated and option.key in self._given:
                line += self._repeated(option)
        return " ".join(line)

    def _repeated(self, option: Option) -> list[str]:
        """Return a flag as it was given, but without a secret."""
        value = self[option.key]
        if option.metavar is None:
            return [option.flag if value else option.negated_flag]
        return [option.flag, str(option.metavar) if option.secret else shlex.quote(str(value))]

    def replace(self, values: Mapping[str, Any]) -> Config:
        """Return the same settings with some other values."""
        return Config({**self._values, **values}, self._options, self._given, self.secret_files)


class SwitchAction(argparse.Action):
    """Stores True for the first of its flags, and False for the second.

    ``argparse.BooleanOptionalAction`` stores False for every flag that begins with ``--no-``, even if that is the name
    of the option.
    """

    def __call__(self, parser: object, namespace: argparse.Namespace, values: object, used: str | None = None) -> None:
        """Store the value of the flag that was used."""
        setattr(namespace, self.dest, used == self.option_strings[0])


def add_flags(parser: argparse._ActionsContainer, options: Iterable[Option], *, hidden: bool = False) -> None:
    """Add the flags of each option; one that is not given sets nothing, so that environment and file count.

    ``hidden`` options are accepted, but not listed in the help.
    """
    options = tuple(options)
    own_flags = {option.flag for option in options}
    for option in options:
        described = argparse.SUPPRESS if hidden else describe_option(option).replace("%", "%%")
        given: dict[str, Any] = {"dest": option.key, "help": described, "default": argparse.SUPPRESS}
        if option.metavar is not None:
            action = "append" if option.many else "store"
            parser.add_argument(option.flag, action=action, metavar=option.metavar, **given)
        elif option.negated_flag in own_flags:
            parser.add_argument(option.flag, action=SwitchAction, nargs=0, **given)
        else:
            parser.add_argument(option.flag, option.negated_flag, action=SwitchAction, nargs=0, **given)
        for alias in option.aliases:
            parser.add_argument(f"--{alias}", action="store_true", **{**given, "help": argparse.SUPPRESS})


def resolve(
    options: Sequence[Option], flags: Mapping[str, Any], environment: Mapping[str, str], *, partly: bool = False
) -> Config:
    """Work out the settings in force.

    Args:
        options: all options.
        flags: the values from the command line, by the keys of the options.
        environment: the environment variables of the process.
        partly: ignore unknown keys, because the options of plugins are not known yet.

    Raises:
        StartupError: a value cannot be read, or a key is unknown; the message names the nearest known key.
    """
    by_key = {option.key: option for option in options}
    path = flags.get("config") or environment.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    from_file = read_file(Path(path).expanduser(), options, partly=partly) if path else {}
    from_environment = read_environment(environment, options, partly=partly)
    values = {}
    secret_files = {}
    for key, option in by_key.items():
        for place, given in (
            (option.flag, flags),
            (f"environment variable {option.variable}", from_environment),
            (f"{path}: {_name_in_file(option)}", from_file),
        ):
            if key in given:
                values[key] = read_value(option, given[key], place)
                if option.secret and (file := secret_file(str(given[key]), path if given is from_file else None)):
                    secret_files[place] = file
                break
        else:
            values[key] = option.default
    return Config(values, options, {*flags, *from_environment}, secret_files)


def read_environment(environment: Mapping[str, str], options: Iterable[Option], *, partly: bool) -> dict[str, str]:
    """Return the settings of the environment, by key."""
    found = {}
    if given := [variable for variable in environment if variable.startswith(ENVIRONMENT_PREFIX)]:
        by_variable = {variable_of(name): option for option in options for name in (*option.aliases, option.key)}
        for variable in given:
            if variable in by_variable:
                found[by_variable[variable].key] = environment[variable]
            elif not partly:
                raise StartupError(f"environment: {unknown_name('variable', variable, by_variable)}")
    return found


def read_file(path: Path, options: Iterable[Option], *, partly: bool) -> dict[str, Any]:
    """Read the settings of a TOML file, by key."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise StartupError(f"--config: cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartupError(f"--config: {path} is not TOML: {error}") from None
    found = {}
    sections = document.pop("plugins", {})
    if not isinstance(sections, dict) or not all(isinstance(section, dict) for section in sections.values()):
        raise StartupError(f"--config: {path}: [plugins.NAME] must be a table")
    by_section: dict[str, dict[str, Option]] = {"": {}}
    for option in options:
        by_section.setdefault(option.section, {})[option.name] = option
    for section, table in [("", document), *sections.items()]:
        if section not in by_section and not partly:
            # The table has the name of the settings, which is not always that of the plugin: "ldap", not "auth_ldap".
            tables = [f"[plugins.{each}]" for each in by_section if each]
            raise StartupError(f"--config: {path}: {unknown_name('table', f'[plugins.{section}]', tables)}")
        known = by_section.get(section, {})
        for name, value in table.items():
            if name in known:
                found[known[name].key] = value
            elif not partly:
                where = f"[plugins.{section}] of {path}" if section else str(path)
                raise StartupError(f"--config: {where}: {_unknown_key(name, value, known, by_section)}")
    return found


def _name_in_file(option: Option) -> str:
    return f"{option.name} in [plugins.{option.section}]" if option.section else option.key


def _unknown_key(name: str, value: Any, known: Iterable[str], sections: Iterable[str]) -> str:
    # A table of a plugin that was written without "plugins." in front.
    if isinstance(value, dict) and (nearest := get_close_matches(name, [each for each in sections if each], n=1)):
        return f"unknown table '[{name}]'; did you mean '[plugins.{nearest[0]}]'?"
    return unknown_name("key", name, known)


def read_value(option: Option, given: Any, place: str) -> Any:
    """Convert the value found at ``place`` to the value of the option."""
    if option.metavar is None:
        try:
            return boolean(str(given))
        except ValueError as error:
            raise StartupError(f"{place}: expected {error}, not {given!r}") from None
    if option.many:
        items = given.split(",") if isinstance(given, str) else given
        if not isinstance(items, list):
            raise StartupError(f"{place}: expected a list, not {given!r}")
        return tuple(read_one(option, item, place) for item in items if item != "")
    return read_one(option, given, place)


def read_one(option: Option, given: Any, place: str) -> Any:
    """Convert one value, and fetch a secret from its file or variable."""
    if isinstance(given, list) and not option.many:
        raise StartupError(f"{place}: expected one text or number, not a list; write several names as 'one,two'")
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise StartupError(f"{place}: expected text or a number, not {'a secret' if option.secret else repr(given)}")
    text = fetch_secret(str(given), place) if option.secret else str(given)
    if option.secret and not text.strip():
        what = given if str(given).startswith(SECRET_PLACES) else "the value"
        raise StartupError(f"{place}: {what} is empty; put a secret there, or leave the setting out")
    try:
        return option.parse(text)
    except ValueError as error:
        raise StartupError(f"{place}: expected {error}, not {'that' if option.secret else repr(given)}") from None


def fetch_secret(text: str, place: str) -> str:
    """Resolve ``env:NAME`` and ``file:PATH``; any other text is the secret itself."""
    kind, _, where = text.partition(":")
    if kind == "env":
        if where not in os.environ:
            raise StartupError(f"{place}: there is no environment variable {where}")
        return os.environ[where]
    if kind == "file":
        try:
            return Path(where).expanduser().read_text("utf-8").rstrip("\r\n")
        except OSError as error:
            raise StartupError(f"{place}: cannot read {where}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise StartupError(f"{place}: cannot read {where}: it is not text in UTF-8") from None
    return text


def secret_file(text: str, settings: str | None) -> Path | None:
    """Return the file that holds a secret; None if it is on the command line or in the environment.

    Args:
        text: the value of the setting, as :func:`fetch_secret` takes it.
        settings: the file of the settings, if that has the value.
    """
    kind, _, where = text.partition(":")
    if kind == "file":
        return Path(where).expanduser()
    return Path(settings).expanduser() if settings and kind != "env" else None


def unknown_name(what: str, name: str, known: Iterable[str]) -> str:
    """Say that a name is unknown, and name the nearest known one."""
    return f"unknown {what} '{name}'" + did_you_mean(name, known, LEAST_SIMILARITY_OF_SETTINGS)
