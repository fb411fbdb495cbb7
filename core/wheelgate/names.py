"""Checks the names of new users, indices and groups, and finds names that look alike."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

from wheelgate.errors import BadInput
from wheelgate.values import MAX_NAME_CHARS, TOKEN_USER

ALLOWED_SYMBOLS = frozenset("-_.@")
INVISIBLE_LETTERS = frozenset("\u115f\u1160")
"""Hangul fillers, which Unicode counts as letters. (Two further fillers are not in normal form.)"""

RESERVED_USER_NAMES = frozenset({"_", "favicon.ico", "robots.txt"})
"""Names at the top of the server's addresses that others ask for: uv asks below ``/_/oidc/``, and browsers and search
engines ask for the two files. A user of that name would answer."""
LEAST_SIMILARITY_OF_NAMES = 0.7
"""Ratio of ``difflib`` from which on a name is proposed for another; below, the two only share a word."""


def did_you_mean(name: str, known: Iterable[str], least_similarity: float = LEAST_SIMILARITY_OF_NAMES) -> str:
    """Return the end of a message about an unknown name: the nearest known one; empty if none is similar."""
    if len(name) > MAX_NAME_CHARS:
        return ""  # comparing takes time, and a client chooses the name
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=least_similarity)
    return f"; did you mean '{near[0]}'?" if near else ""


def check_name(kind: str, name: str) -> None:
    """Refuse a name that could confuse a person, a file system or an access list.

    Letters and digits of any script and ``-_.@`` are allowed.

    Args:
        kind: what messages call it: ``username``, ``indexname`` or ``groupname``.
        name: the name.

    Raises:
        BadInput: the name is too long, has other characters, starts with ``.`` or ``-``, or is reserved.
    """
    quoted = ascii(name if len(name) <= MAX_NAME_CHARS else name[:MAX_NAME_CHARS] + "…")
    if not 1 <= len(name) <= MAX_NAME_CHARS:
        raise BadInput(f"{kind} {quoted} must have 1 to {MAX_NAME_CHARS} characters, not {len(name)}")
    if not all(character.isalnum() or character in ALLOWED_SYMBOLS for character in name) or INVISIBLE_LETTERS & set(
        name
    ):
        raise BadInput(
            f"{kind} {quoted} contains characters that aren't allowed. Any ascii symbol besides -.@_ is blocked, "
            "and so is every other character that is not a letter or digit."
        )
    if name[0] in ".-":
        raise BadInput(f"{kind} {quoted} must not start with '.' or '-'")
    if name.casefold() == TOKEN_USER:
        raise BadInput(f"{kind} {quoted} stands for the user of an API token; choose another name")
    if kind == "username" and name.casefold() in RESERVED_USER_NAMES:
        raise BadInput(f"{kind} {quoted} belongs to an address that browsers or tools ask for; choose another name")
    if unicodedata.normalize("NFKC", name) != name:
        raise BadInput(f"{kind} {quoted} must be written in its normal form (Unicode NFKC)")


def fold(name: str) -> str:
    """Return the form that look-alike names share: NFKC and case folding (Unicode, section 3.13, D145)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def is_spelling(name: object, other: str) -> bool:
    """Return whether a value from a plugin is a name, and the same as another one, or one that looks like it."""
    return isinstance(name, str) and len(name) <= MAX_NAME_CHARS and fold(name) == fold(other)
