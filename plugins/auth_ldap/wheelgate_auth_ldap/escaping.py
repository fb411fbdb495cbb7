"""Names inside distinguished names and filters: whatever a name holds, it stays a name."""

from __future__ import annotations

from collections.abc import Iterable

SPECIAL = frozenset('\\,+"<>;=#')
"""What has a meaning in a distinguished name (RFC 4514, section 2.4)."""


def escape_dn(value: str) -> str:
    """Escape a value for a distinguished name (RFC 4514, section 2.4)."""
    # ldap3's own function leaves NUL and the other control characters as they are.
    escaped = "".join(
        f"\\{character}"
        if character in SPECIAL
        else _hex(character)
        if character < " " or character == "\x7f"
        else character
        for character in value
    )
    # A space counts as a part of the value only if it is escaped where the value begins or ends.
    inner = escaped.strip(" ")
    begins = len(escaped) - len(escaped.lstrip(" "))
    ends = len(escaped) - len(escaped.rstrip(" ")) if inner else 0
    return "\\20" * begins + inner + "\\20" * ends


def escape_filter(value: str) -> str:
    """Escape a value for a filter (RFC 4515, section 3)."""
    return "".join(_hex(character) if character in "\\*()" or character < " " else character for character in value)


def equals(attribute: str, value: str) -> str:
    """Write the filter that an attribute holds a value."""
    return f"({attribute}={escape_filter(value)})"


def both(one: str, other: str | None) -> str:
    """Write the filter that meets both; the second may be missing."""
    return f"(&{one}{other})" if other else one


def either(filters: Iterable[str]) -> str:
    """Write the filter that meets one of several."""
    return f"(|{''.join(filters)})"


def _hex(character: str) -> str:
    return "".join(f"\\{byte:02x}" for byte in character.encode())
