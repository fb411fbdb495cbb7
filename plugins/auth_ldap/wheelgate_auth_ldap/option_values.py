"""Reads the values of the plugin's settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from wheelgate_auth_ldap.account_state import STATE_ATTRIBUTES
from wheelgate_auth_ldap.kinds import GENERIC

ATTRIBUTE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*|\d+(\.\d+)+")
"""A short name or an object identifier (RFC 4512, section 1.4)."""
PRINCIPAL_NAME = re.compile(r"[^\s@\\/]+@[A-Za-z0-9.-]+|[A-Za-z0-9.-]+\\[^@\\/\"\[\]:;|=,+*?<>]+")
"""``NAME@DOMAIN`` and ``DOMAIN\\NAME``, which Active Directory takes in place of a distinguished name
([MS-ADTS], section 5.1.1.1.1)."""
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


def bind_name(text: str) -> str:
    """Read the name of a bind: a distinguished name, or a name as Active Directory takes it."""
    if PRINCIPAL_NAME.fullmatch(text):
        return text
    try:
        return distinguished_name(text)
    except ValueError as error:
        raise ValueError(f"{error}, or for Active Directory NAME@DOMAIN or DOMAIN\\NAME") from None


def state_attribute(text: str) -> str:
    """Read the name of an attribute that says whether an account is disabled or has expired."""
    if text.strip().lower() not in STATE_ATTRIBUTES:
        raise ValueError(f"one of {', '.join(GENERIC.account_state_attribute)}")
    return text.strip()


def user_template(text: str) -> str:
    """Read a distinguished name in which ``{username}`` stands for the login name."""
    if set(PLACEHOLDER.findall(text)) != {"username"}:
        raise ValueError("a distinguished name with {username} as its only placeholder")
    distinguished_name(text.replace("{username}", "name"))
    return text
