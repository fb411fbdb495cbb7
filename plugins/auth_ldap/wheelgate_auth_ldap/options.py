"""The plugin's settings: how each is declared, and what of them cannot be meant together."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from wheelgate import Option
from wheelgate.config import Config, is_loopback
from wheelgate.errors import StartupError
from wheelgate.option_types import whole_number

SECTION = "ldap"
ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|\d+(\.\d+)+")
"""A short name or an object identifier (RFC 4512, section 1.4)."""
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Address:
    """One server of the directory."""

    host: str
    port: int
    tls: bool
    """Whether the connection is encrypted from its first byte."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ldaps' if self.tls else 'ldap'}://{host}:{self.port}"


def address(text: str) -> Address:
    """Read ``ldaps://host``, ``ldap://host`` or either with a port (RFC 4516, without what follows the port)."""
    expected = "an address such as ldaps://ldap.example or ldap://ldap.example:389"
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in ("ldap", "ldaps") or not host or "@" in parts.netloc or parts.path.strip("/") or parts.query:
        raise ValueError(expected)
    tls = parts.scheme == "ldaps"
    return Address(host, port or (636 if tls else 389), tls)


def attribute(text: str) -> str:
    """Read the name of an attribute."""
    if not ATTRIBUTE.fullmatch(text.strip()):
        raise ValueError("the name of an attribute such as uid")
    return text.strip()


def _checked(what: str, check: Callable[[str], object]) -> Callable[[str], str]:
    """Make a reader of text that ldap3 can take apart; ldap3 is loaded only where there is some."""

    def parse(text: str) -> str:
        try:
            check(text)
        except Exception:  # noqa: BLE001 - ldap3 raises what it likes; whatever it is, the sentence is the same
            raise ValueError(what) from None
        return text

    return parse


def _parse_dn(text: str) -> object:
    from ldap3.utils.dn import parse_dn

    return parse_dn(text)


def _parse_filter(text: str) -> object:
    from ldap3.operation.search import parse_filter

    return parse_filter(text, None, False, False, None, False)


dn = _checked("a distinguished name such as ou=people,dc=company,dc=example", _parse_dn)
search_filter = _checked("a filter such as (objectClass=person)", _parse_filter)


def user_template(text: str) -> str:
    """Read a distinguished name in which ``{username}`` stands for the name."""
    if set(PLACEHOLDER.findall(text)) != {"username"}:
        raise ValueError("a distinguished name with {username} as its only placeholder")
    dn(text.replace("{username}", "name"))
    return text


def options() -> list[Option]:
    """Declare the settings."""
    option = partial(Option, section=SECTION)
    return [
        option(
            "url",
            "server of the directory, ldaps://HOST or ldap://HOST; of several, the next is asked when one is away",
            (),
            address,
            metavar="URL",
            many=True,
        ),
        option(
            "starttls",
            "encrypt connections to ldap:// addresses; without it passwords travel in the clear",
            default=True,
        ),
        option("check-certificate", "refuse servers whose certificate does not fit their name", default=True),
        option("ca-file", "PEM file with the authorities that sign the servers' certificates", metavar="FILE"),
        option("bind-dn", "entry by which the directory is searched; anonymously if not given", None, dn, metavar="DN"),
        option("bind-password", "password of that entry", metavar="PASSWORD", secret=True),
        option("user-base", "where users are searched", None, dn, metavar="DN"),
        option(
            "user-filter",
            "what a user's entry must meet besides having the name",
            None,
            search_filter,
            metavar="FILTER",
        ),
        option(
            "user-dn", "entry of the user {username}; users are then not searched", None, user_template, metavar="DN"
        ),
        option(
            "name-attribute",
            "attribute that holds the name with which a user logs in",
            "uid",
            attribute,
            metavar="NAME",
        ),
        option("email-attribute", "attribute that a new user's email is taken from", "mail", attribute, metavar="NAME"),
        option(
            "title-attribute",
            "attribute that a new user's title is taken from",
            "displayName",
            attribute,
            metavar="NAME",
        ),
        option("group-base", "where groups are searched; no groups if not given", None, dn, metavar="DN"),
        option("group-filter", "what a group's entry must meet", None, search_filter, metavar="FILTER"),
        option("group-name-attribute", "attribute that holds a group's name", "cn", attribute, metavar="NAME"),
        option(
            "group-member-attribute",
            "attribute that lists a group's members by their DN, or, if it is memberUid, by their names",
            ("member",),
            attribute,
            metavar="NAME",
            many=True,
        ),
        option("group-nested", "count the groups that a group is in", default=False),
        option(
            "required-group",
            "group that one must be in to log in; of several, one is enough",
            (),
            metavar="NAME",
            many=True,
        ),
        option("index", "name of an index that each new user gets", metavar="NAME"),
        option("index-bases", "bases of that index", (), metavar="INDEX", many=True),
        option("timeout", "seconds that a server may take to answer", 2, whole_number(1, 4), metavar="SECONDS"),
    ]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings as they hold, by the names of the options."""

    url: tuple[Address, ...]
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


def read_settings(config: Config) -> Settings | None:
    """Return the settings, or None if no directory is named.

    Raises:
        StartupError: one is missing or does not go with another; the text names its flag.
    """
    given = {option.name: config[option.key] for option in options()}
    if not given["url"]:
        stray = [option.flag for option in options() if config[option.key] != option.default]
        if stray:
            raise StartupError(f"{stray[0]} is given, but no --ldap-url: name the directory's server, or leave it out")
        return None
    if not given["user-base"] and not given["user-dn"]:
        raise StartupError(
            "--ldap-user-base is missing: say where users are searched, or name them with --ldap-user-dn"
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
            raise StartupError(f"--ldap-{one} is given, but no --ldap-{other}: the one needs the other")
    if given["user-base"] and given["user-dn"]:
        raise StartupError("--ldap-user-base and --ldap-user-dn are two ways to find users: give one of them")
    if given["ca-file"] and not Path(given["ca-file"]).is_file():
        raise StartupError(f"--ldap-ca-file: there is no file {given['ca-file']}")
    return Settings(**{name.replace("-", "_"): value for name, value in given.items()})


def warnings(settings: Settings) -> list[str]:
    """Return a sentence for each way in which the settings show passwords to others."""
    found = []
    clear = [place for place in settings.url if not (place.tls or settings.starttls or is_loopback(place.host))]
    if clear:
        places = " and ".join(map(str, clear))
        found.append(f"--no-ldap-starttls: PASSWORDS go to {places} in the CLEAR; leave it out, or use ldaps://")
    if not settings.check_certificate:
        found.append(
            "--no-ldap-check-certificate: ANYBODY between here and the directory can pass for it and read passwords; "
            "name the authorities that sign its certificate with --ldap-ca-file instead"
        )
    return found
