"""The server's settings: declared once, read from flags, environment and file, in this order of precedence."""

from __future__ import annotations

import argparse
import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from wheelgate.errors import StartupError
from wheelgate.fields import parse_bool
from wheelgate.options import Option

ENVIRONMENT = "DEVPISERVER_"


def seconds(text: str) -> int:
    """Read a time span: ``36000``, ``600s``, ``30m``, ``10h`` or ``7d``."""
    match = re.fullmatch(r"(\d{1,9})([smhd]?)", text.strip())
    if not match or not int(match[1]):
        raise ValueError("a time span such as 36000, 30m, 10h or 7d")
    return int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def whole(low: int, high: int) -> Any:
    """Make a reader of whole numbers from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not text.strip().isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def size(text: str) -> int:
    """Read a number of bytes: ``5000000``, ``500k``, ``100M`` or ``2G``."""
    match = re.fullmatch(r"(\d{1,15})([kmgt]?)b?", text.strip().lower())
    if not match or not int(match[1]):
        raise ValueError("a size such as 500000, 100M or 2G")
    return int(match[1]) * {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}[match[2]]


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Read an address or a network, such as ``10.0.0.0/8``."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError("an address or a network such as 10.0.0.0/8") from None


def allowed_upstream(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | str:
    """Read ``public``, or an address or a network."""
    try:
        return "public" if text.strip().lower() == "public" else network(text)
    except ValueError as error:
        raise ValueError(f"'public', or {error}") from None


def hide_or_tell(text: str) -> str:
    """Read ``hide`` or ``tell``."""
    word = text.strip().lower()
    if word not in ("hide", "tell"):
        raise ValueError("'hide' or 'tell'")
    return word


def web_address(text: str) -> str:
    """Read an http or https address; a trailing slash is dropped."""
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", text):
        raise ValueError("an address such as https://packages.example/sub")
    return text.rstrip("/")


def proxy_address(text: str) -> str:
    """Read the address of a proxy, which may hold a name and a password."""
    if not re.fullmatch(r"https?://[^\s/?#]+/?", text):
        raise ValueError("an address such as http://proxy.example:3128")
    return text


def bucket_address(text: str) -> str:
    """Read the address of a bucket, with a prefix where there is one."""
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()/-]*)?", text):
        raise ValueError("an address such as s3://bucket/prefix")
    return text


CORE_OPTIONS = (
    Option("host", "address to listen on", "localhost", metavar="HOST"),
    Option("port", "port to listen on; 0 takes a free one", 3141, whole(0, 65535), metavar="PORT"),
    Option(
        "serverdir", "folder that holds the server's data; created at the first start", "~/.devpi/server", metavar="DIR"
    ),
    Option(
        "database",
        "where users and indices are kept: postgresql://…; SQLite in the server's folder if not given",
        metavar="URL",
        secret=True,
    ),
    Option(
        "files",
        "bucket of an object store that keeps the files: s3://bucket/prefix; the server's folder if not given",
        None,
        bucket_address,
        metavar="URL",
    ),
    Option(
        "files-endpoint",
        "address of an object store that speaks S3 and is not Amazon's; credentials and region come from the "
        "environment variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
        None,
        web_address,
        metavar="URL",
    ),
    Option("workers", "how many processes answer requests", 2, whole(1, 64), metavar="N"),
    Option("root-passwd", "password that root gets at the first start", metavar="PASSWORD", secret=True),
    Option(
        "secretfile",
        "file with the secret that logins are signed by; made in the server's folder if not given",
        metavar="FILE",
    ),
    Option(
        "outside-url",
        "address under which clients reach this server, if a proxy stands before it",
        None,
        web_address,
        metavar="URL",
    ),
    Option(
        "trusted-proxy",
        "address or network of a proxy whose X-Forwarded-* and X-Outside-Url headers are believed",
        (),
        network,
        metavar="NETWORK",
        many=True,
    ),
    Option("absolute-urls", "write whole addresses into simple pages instead of relative ones", default=False),
    Option("max-upload", "largest file that may be uploaded; no limit if not given", None, size, metavar="SIZE"),
    Option(
        "allow-upstream",
        "network that mirrors, pushes and redirects may reach besides public addresses, or 'public' for those alone; "
        "if not given, a server that listens on loopback only may reach everything, any other public addresses",
        (),
        allowed_upstream,
        metavar="NETWORK",
        many=True,
    ),
    Option(
        "upstream-proxy",
        "proxy for all requests that the server sends itself; it then decides which addresses names have",
        None,
        proxy_address,
        metavar="URL",
        secret=True,
    ),
    Option("no-plugin", "leave a plugin out, by its name", (), metavar="NAME", many=True),
    Option(
        "auth-order",
        "which authenticators are asked first; the rest follow by rank and name",
        (),
        metavar="NAME",
        many=True,
    ),
    Option(
        "autocreate-users",
        "authenticator whose users are created when they first log in, or 'all', or 'none'",
        ("all",),
        metavar="NAME",
        many=True,
    ),
    Option(
        "extractor-order",
        "which ways to find credentials are tried first; the rest follow by rank and name",
        (),
        metavar="NAME",
        many=True,
    ),
    Option(
        "private-indices",
        "what is said of an index to who may not read it: hide says what it says of one that does not exist, tell "
        "says that it is private",
        "hide",
        hide_or_tell,
        metavar="hide|tell",
    ),
    Option(
        "require-login",
        "answer nobody who has not logged in, but at /+api and /+login",
        default=False,
    ),
    Option("session-lifetime", "how long a login lasts", 36000, seconds, metavar="TIME"),
    Option(
        "head-timeout",
        "how long a client that has just connected may take to send the head of its request",
        20,
        seconds,
        metavar="TIME",
    ),
    Option(
        "send-timeout",
        "how long a client that receives an answer may take nothing of it",
        60,
        seconds,
        metavar="TIME",
    ),
    Option("hash-concurrency", "how many passwords each worker hashes at once", 1, whole(1, 16), metavar="N"),
    Option(
        "access-log",
        "file for a line about each request; - is standard output, empty is none",
        "",
        metavar="FILE",
    ),
    Option("config", "TOML file with these settings", metavar="FILE"),
)


class Config(Mapping[str, Any]):
    """The settings as they hold, by the options' keys."""

    def __init__(self, values: Mapping[str, Any], secrets: frozenset[str]) -> None:
        self._values = dict(values)
        self._secrets = secrets

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
        """The server's folder."""
        return Path(self["serverdir"]).expanduser().absolute()

    @property
    def database_url(self) -> str:
        """Where users and indices are kept."""
        return self["database"] or f"sqlite:///{self.serverdir / 'wheelgate.db'}"

    @property
    def secret_path(self) -> Path:
        """The file that holds the secret."""
        given = self["secretfile"]
        return Path(given).expanduser().absolute() if given else self.serverdir / ".secret"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self["host"])


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine; a name other than ``localhost`` is not taken for it."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def add_flags(parser: argparse.ArgumentParser, options: Iterable[Option]) -> None:
    """Add a flag for each option; what is not given leaves no trace, so that environment and file can speak."""
    for option in options:
        default = "" if option.default in (None, "", ()) else f" (default: {option.default})"
        described = (option.help + default).replace("%", "%%")
        given: dict[str, Any] = {"dest": option.key, "help": described, "default": argparse.SUPPRESS}
        if option.metavar is None:
            given["action"] = argparse.BooleanOptionalAction
        else:
            given["metavar"] = option.metavar
            given["action"] = "append" if option.many else "store"
        parser.add_argument(option.flag, **given)


def settle(
    options: Sequence[Option], flags: Mapping[str, Any], environment: Mapping[str, str], *, partly: bool = False
) -> Config:
    """Work out what holds: flag before environment before file before default.

    Args:
        options: every option there is.
        flags: what the command line gave.
        environment: the process's environment.
        partly: true while plugins, and so some options, are not known yet; unknown keys then pass.

    Raises:
        StartupError: a value cannot be read, or a key is unknown; the text names it and the nearest one.
    """
    by_key = {option.key: option for option in options}
    path = flags.get("config") or environment.get(f"{ENVIRONMENT}CONFIG")
    from_file = read_file(Path(path).expanduser(), options, partly=partly) if path else {}
    by_variable = {option.variable: option for option in options}
    from_environment = {}
    for variable, text in environment.items():
        if variable.startswith(ENVIRONMENT) and variable in by_variable:
            from_environment[by_variable[variable].key] = text
        elif variable.startswith(ENVIRONMENT) and not partly:
            raise StartupError(f"environment: {unknown('variable', variable, by_variable)}")
    values = {}
    for key, option in by_key.items():
        for place, given in (
            (option.flag, flags),
            (f"environment variable {option.variable}", from_environment),
            (f"{path}: {option.key}", from_file),
        ):
            if key in given:
                values[key] = read_value(option, given[key], place)
                break
        else:
            values[key] = option.default
    return Config(values, frozenset(option.key for option in options if option.secret))


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
    for section, table in [("", document), *sections.items()]:
        known = {option.name: option for option in options if option.section == section}
        for name, value in table.items():
            if name in known:
                found[known[name].key] = value
            elif not partly:
                where = f"[plugins.{section}] of {path}" if section else str(path)
                raise StartupError(f"--config: {where}: {unknown('key', name, known)}")
    return found


def read_value(option: Option, given: Any, place: str) -> Any:
    """Turn what was given at ``place`` into the option's value."""
    if option.metavar is None:
        try:
            return parse_bool(given)
        except Exception:  # noqa: BLE001 - whatever is wrong with it, the sentence is the same
            raise StartupError(f"{place}: expected true or false, not {given!r}") from None
    if option.many:
        items = given.split(",") if isinstance(given, str) else given
        if not isinstance(items, list):
            raise StartupError(f"{place}: expected a list, not {given!r}")
        return tuple(read_one(option, item, place) for item in items if item != "")
    return read_one(option, given, place)


def read_one(option: Option, given: Any, place: str) -> Any:
    """Turn one value into what the option wants, fetching a secret from where it is kept."""
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise StartupError(f"{place}: expected text or a number, not {'a secret' if option.secret else repr(given)}")
    text = fetch_secret(str(given), place) if option.secret else str(given)
    try:
        return option.parse(text)
    except ValueError as error:
        raise StartupError(f"{place}: expected {error}, not {'that' if option.secret else repr(given)}") from None


def fetch_secret(text: str, place: str) -> str:
    """Read ``env:NAME`` and ``file:PATH``; anything else is the secret itself."""
    kind, _, where = text.partition(":")
    if kind == "env":
        if where not in os.environ:
            raise StartupError(f"{place}: there is no environment variable {where}")
        return os.environ[where]
    if kind == "file":
        try:
            return Path(where).expanduser().read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise StartupError(f"{place}: cannot read {where}: {error}") from None
    return text


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Say that a name is unknown, and which known one is nearest."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"unknown {what} '{name}'" + (f"; did you mean '{near[0]}'?" if near else "")
