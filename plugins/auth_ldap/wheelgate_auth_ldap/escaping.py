"""Escapes names for distinguished names and filters, whatever characters they contain."""

from __future__ import annotations

from collections.abc import Iterable

DN_SYNTAX = frozenset('\\,+"<>;=#')
"""Characters with a meaning in a distinguished name (RFC 4514, section 2.4)."""


def escape_dn(value: str) -> str:
    """Escape a value for a distinguished name (RFC 4514, section 2.4)."""
    # ldap3's own function does not escape NUL and the other control characters.
    escaped = "".join(
        f"\\{character}"
        if character in DN_SYNTAX
        else _hex(character)
        if character < " " or character == "\x7f"
        else character
        for character in value
    )
    # Spaces at the start and the end count as part of the value only if they are escaped.
    inner = escaped.strip(" ")
    begins = len(escaped) - len(escaped.lstrip(" "))
    ends = len(escaped) - len(escaped.rstrip(" ")) if inner else 0
    return "\\20" * begins + inner + "\\20" * ends


def escape_filter(value: str) -> str:
    """Escape a value for a filter (RFC 4515, section 3)."""
    return "".join(_hex(character) if character in "\\*()" or character < " " else character for character in value)


def equals(attribute: str, value: str) -> str:
    """Return a filter for entries whose attribute has a value."""
    return f"({attribute}={escape_filter(value)})"


def equals_bytes(attribute: str, value: bytes) -> str:
    """Return a filter for entries whose attribute has a value that is not text."""
    escaped = "".join(f"\\{byte:02x}" for byte in value)
    return f"({attribute}={escaped})"


def both(one: str, other: str | None) -> str:
    """Return a filter for entries that match both filters; the second may be missing."""
    return f"(&{one}{other})" if other else one


def either(filters: Iterable[str]) -> str:
    """Return a filter for entries that match at least one of several filters."""
    return f"(|{''.join(filters)})"


def _hex(character: str) -> str:
    return "".join(f"\\{byte:02x}" for byte in character.encode())
