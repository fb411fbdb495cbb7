"""Declares the plugin's settings, and refuses combinations that make no sense."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from wheelgate import Option
from wheelgate.config import Config
from wheelgate.errors import StartupError
from wheelgate.loopback import is_loopback
from wheelgate.option_types import one_of, whole_number
from wheelgate_auth_ldap.kinds import KINDS
from wheelgate_auth_ldap.option_values import (
    ServerAddress,
    attribute_name,
    bind_name,
    distinguished_name,
    search_filter,
    server_address,
    state_attribute,
    user_template,
)

OPTION_SECTION = "ldap"


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
            "kind",
            "kind of the directory, which decides the defaults of other settings: generic, openldap, "
            "active-directory or 389ds",
            "generic",
            one_of(*KINDS),
            metavar="KIND",
        ),
        option(
            "bind-dn",
            "entry with which the plugin searches the directory, in Active Directory also NAME@DOMAIN or DOMAIN\\NAME; "
            "anonymous if not given",
            None,
            bind_name,
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
            "filter that a user's entry must match, in addition to the name; --ldap-kind has a default",
            None,
            search_filter,
            metavar="FILTER",
        ),
        option("user-dn", "entry of the user {username}, in place of a search", None, user_template, metavar="DN"),
        option(
            "name-attribute",
            "attribute with the login name of a user; --ldap-kind has a default",
            None,
            attribute_name,
            metavar="NAME",
        ),
        option(
            "account-state-attribute",
            "attribute that says whether an account is disabled or has expired; --ldap-kind has a default",
            None,
            state_attribute,
            metavar="NAME",
            many=True,
        ),
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
            "attribute that lists a group's members by DN, or by login name if it is memberUid; --ldap-kind has a "
            "default",
            None,
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
    kind: str
    starttls: bool
    check_certificate: bool
    ca_file: str | None
    bind_dn: str | None
    bind_password: str | None = field(repr=False)
    user_base: str | None
    user_filter: str | None
    user_dn: str | None
    name_attribute: str
    account_state_attribute: tuple[str, ...]
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

    @property
    def present_attribute(self) -> str | None:
        """The attribute that every user's entry has if ``bind_dn`` may read it; None if there is none to look at."""
        expected = KINDS[self.kind].present_attribute
        return expected if expected in self.account_state_attribute else None


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
    values: dict[str, Any] = {name.replace("-", "_"): value for name, value in given.items()}
    values.update({name: value for name, value in asdict(KINDS[given["kind"]]).items() if values.get(name, "") is None})
    return LdapSettings(**values)


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
