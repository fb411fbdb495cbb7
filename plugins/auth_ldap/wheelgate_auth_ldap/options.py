"""Declares the plugin's settings, and refuses combinations that make no sense."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from wheelgate import Option
from wheelgate.config import Config
from wheelgate.errors import StartupError
from wheelgate.loopback import is_loopback
from wheelgate.option_types import whole_number

OPTION_SECTION = "ldap"
ATTRIBUTE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*|\d+(\.\d+)+")
"""A short name or an object identifier (RFC 4512, section 1.4)."""
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The address of one server of the directory."""

    host: str
    port: int
    tls: bool
    """Whether the connection is encrypted from its first byte."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ldaps' if self.tls else 'ldap'}://{host}:{self.port}"


def server_address(text: str) -> ServerAddress:
    """Read ``ldaps://host`` or ``ldap://host``, with or without a port (the first parts of a URL of RFC 4516)."""
    expected = "an address such as ldaps://ldap.example or ldap://ldap.example:389"
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in ("ldap", "ldaps") or not host or "@" in parts.netloc or parts.path.strip("/") or parts.query:
        raise ValueError(expected)
    tls = parts.scheme == "ldaps"
    return ServerAddress(host, port or (636 if tls else 389), tls)


def attribute_name(text: str) -> str:
    """Read the name of an attribute."""
    if not ATTRIBUTE_NAME.fullmatch(text.strip()):
        raise ValueError("the name of an attribute such as uid")
    return text.strip()


def _reader(expected: str, check: Callable[[str], object]) -> Callable[[str], str]:
    """Return a reader that checks text with ldap3, which is loaded only if the option is given."""

    def parse(text: str) -> str:
        try:
            check(text)
        except Exception:  # noqa: BLE001 - ldap3 raises many kinds of exceptions; all of them mean the same here
            raise ValueError(expected) from None
        return text

    return parse


def _parse_dn(text: str) -> object:
    from ldap3.utils.dn import parse_dn

    return parse_dn(text)


def _parse_filter(text: str) -> object:
    from ldap3.operation.search import parse_filter

    return parse_filter(text, None, False, False, None, False)


distinguished_name = _reader("a distinguished name such as ou=people,dc=company,dc=example", _parse_dn)
search_filter = _reader("a filter such as (objectClass=person)", _parse_filter)


def user_template(text: str) -> str:
    """Read a distinguished name in which ``{username}`` stands for the login name."""
    if set(PLACEHOLDER.findall(text)) != {"username"}:
        raise ValueError("a distinguished name with {username} as its only placeholder")
    distinguished_name(text.replace("{username}", "name"))
    return text


def options() -> list[Option]:
    """Declare the settings."""
    option = partial(Option, section=OPTION_SECTION)
    return [*_connection_options(option), *_user_options(option), *_group_options(option), *_account_options(option)]


def _connection_options(option: Callable[..., Option]) -> list[Option]:
    return [
        option(
            "url",
            "server of the directory, ldaps://HOST or ldap://HOST; if one is unavailable, the next is asked",
            (),
            server_address,
            metavar="URL",
            many=True,
        ),
        option(
            "starttls",
            "encrypt connections to ldap:// addresses; without it, passwords are sent in the clear",
            default=True,
        ),
        option("check-certificate", "refuse servers whose certificate does not match their name", default=True),
        option("ca-file", "PEM file with the authorities that sign the servers' certificates", metavar="FILE"),
        option(
            "bind-dn",
            "entry with which the plugin searches the directory; anonymous if not given",
            None,
            distinguished_name,
            metavar="DN",
        ),
        option("bind-password", "password of that entry", metavar="PASSWORD", secret=True),
        option("timeout", "seconds that a server may take to answer", 2, whole_number(1, 4), metavar="SECONDS"),
    ]


def _user_options(option: Callable[..., Option]) -> list[Option]:
    return [
        option("user-base", "entry below which users are searched", None, distinguished_name, metavar="DN"),
        option(
            "user-filter",
            "filter that a user's entry must match, in addition to the name",
            None,
            search_filter,
            metavar="FILTER",
        ),
        option("user-dn", "entry of the user {username}, in place of a search", None, user_template, metavar="DN"),
        option("name-attribute", "attribute with the login name of a user", "uid", attribute_name, metavar="NAME"),
        option("email-attribute", "attribute with the email of a new user", "mail", attribute_name, metavar="NAME"),
        option(
            "title-attribute", "attribute with the title of a new user", "displayName", attribute_name, metavar="NAME"
        ),
    ]


def _group_options(option: Callable[..., Option]) -> list[Option]:
    return [
        option(
            "group-base",
            "entry below which groups are searched; no groups if not given",
            None,
            distinguished_name,
            metavar="DN",
        ),
        option("group-filter", "filter that a group's entry must match", None, search_filter, metavar="FILTER"),
        option("group-name-attribute", "attribute with the name of a group", "cn", attribute_name, metavar="NAME"),
        option(
            "group-member-attribute",
            "attribute that lists a group's members by DN, or by login name if it is memberUid",
            ("member",),
            attribute_name,
            metavar="NAME",
            many=True,
        ),
        option("group-nested", "also count the groups that a group is in", default=False),
    ]


def _account_options(option: Callable[..., Option]) -> list[Option]:
    return [
        option(
            "required-group",
            "group that users must be in to log in; if several are given, one is enough",
            (),
            metavar="NAME",
            many=True,
        ),
        option("index", "name of an index that each new user gets", metavar="NAME"),
        option("index-bases", "bases of that index", (), metavar="INDEX", many=True),
    ]


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """The values of the settings, by the names of the options."""

    url: tuple[ServerAddress, ...]
    starttls: bool
    check_certificate: bool
    ca_file: str | None
    bind_dn: str | None
    bind_password: str | None = field(repr=False)
    user_base: str | None
    user_filter: str | None
    user_dn: str | None
    name_attribute: str
    email_attribute: str
    title_attribute: str
    group_base: str | None
    group_filter: str | None
    group_name_attribute: str
    group_member_attribute: tuple[str, ...]
    group_nested: bool
    required_group: tuple[str, ...]
    index: str | None
    index_bases: tuple[str, ...]
    timeout: int


def read_settings(config: Config) -> LdapSettings | None:
    """Return the settings, or None if no directory is configured.

    Raises:
        StartupError: a setting is missing, or excludes another; the message names its flag.
    """
    given = {option.name: config[option.key] for option in options()}
    if not given["url"]:
        stray = [option.flag for option in options() if config[option.key] != option.default]
        if stray:
            raise StartupError(f"{stray[0]} is given, but no --ldap-url: give the server's address, or leave it out")
        return None
    if not given["user-base"] and not given["user-dn"]:
        raise StartupError(
            "--ldap-user-base is missing: say where to search users, or give their entries with --ldap-user-dn"
        )
    for one, other in (
        ("bind-dn", "bind-password"),
        ("bind-password", "bind-dn"),
        ("required-group", "group-base"),
        ("group-nested", "group-base"),
        ("group-filter", "group-base"),
        ("index-bases", "index"),
    ):
        if given[one] and not given[other]:
            raise StartupError(f"--ldap-{one} is given, but no --ldap-{other}: it needs both")
    if given["user-base"] and given["user-dn"]:
        raise StartupError("--ldap-user-base and --ldap-user-dn are two ways to find users: give only one of them")
    if given["ca-file"] and not Path(given["ca-file"]).is_file():
        raise StartupError(f"--ldap-ca-file: there is no file {given['ca-file']}")
    return LdapSettings(**{name.replace("-", "_"): value for name, value in given.items()})


def warnings(settings: LdapSettings) -> list[str]:
    """Return a warning for each setting that exposes passwords."""
    found = []
    clear = [server for server in settings.url if not (server.tls or settings.starttls or is_loopback(server.host))]
    if clear:
        servers = " and ".join(map(str, clear))
        found.append(f"--no-ldap-starttls: PASSWORDS are sent to {servers} in the CLEAR; remove it, or use ldaps://")
    if not settings.check_certificate:
        found.append(
            "--no-ldap-check-certificate: ANYONE on the way to the directory can pose as it and read passwords; "
            "give the authorities that sign its certificate with --ldap-ca-file instead"
        )
    return found
