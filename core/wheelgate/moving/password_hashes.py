"""The hashes of passwords that devpi has written since 2013, in the form in which this server stores them.

Before 4.2 (2017) it was SHA-256 of a salt and the password; later argon2i, and argon2id. Both are kept, and renewed at
the first login.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from typing import Any

from wheelgate.password_text import LEGACY_SHA256_PREFIX

ARGON2_HASH = re.compile(
    r"\$argon2(?:i|id)\$(?:v=(?:16|19)\$)?m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})"
    r"\$([A-Za-z0-9+/]{11,128})\$([A-Za-z0-9+/]{16,128})"
)
"""The encoded form of argon2 (its reference implementation; RFC 9106 has the parameters)."""
MAX_MEMORY_KIB = 1 << 20
"""Memory that a hash may cost at each login, in KiB."""
MAX_PASSES = 10
MAX_LANES = 16
SHA256_DIGITS = re.compile("[0-9a-f]{64}")
SALT = re.compile(r"[A-Za-z0-9+/=_-]{1,128}")
"""base64, as text; the text itself was hashed."""


class UnusableHashError(Exception):
    """Raised for a hash against which no password can, or should, be verified; the text says why."""


def stored_hash(pwhash: Any, pwsalt: Any) -> str | None:
    """Return a hash as the user store keeps it; None for no password, an empty text for the empty password.

    Only a hash that is fast to compute is compared with the empty password.

    Args:
        pwhash: the value in the export.
        pwsalt: the salt of old hashes.

    Raises:
        UnusableHashError: it is no hash, or it costs too much.
    """
    if pwhash in (None, ""):
        return None
    if not isinstance(pwhash, str):
        raise UnusableHashError("the hash of the password is not text")
    if isinstance(pwsalt, str) and SALT.fullmatch(pwsalt) and SHA256_DIGITS.fullmatch(pwhash):
        empty = hmac.compare_digest(hashlib.sha256(pwsalt.encode()).hexdigest(), pwhash)
        return "" if empty else f"{LEGACY_SHA256_PREFIX}{pwsalt}${pwhash}"
    found = ARGON2_HASH.fullmatch(pwhash)
    if found is None or not all(map(_is_base64, found.groups()[3:])):
        raise UnusableHashError("the hash of the password is neither argon2 nor a salted SHA-256")
    memory, passes, lanes = (int(number) for number in found.groups()[:3])
    if memory > MAX_MEMORY_KIB or passes > MAX_PASSES or lanes > MAX_LANES or memory < 8 * lanes or not passes:
        raise UnusableHashError(
            f"the hash of the password costs m={memory},t={passes},p={lanes} at each login; at most m={MAX_MEMORY_KIB},"
            f"t={MAX_PASSES},p={MAX_LANES} is accepted"
        )
    return pwhash


def is_legacy(stored: str | None) -> bool:
    """Return whether a stored hash is of the form from before 4.2."""
    return stored is not None and stored.startswith(LEGACY_SHA256_PREFIX)


def _is_base64(text: str) -> bool:
    try:
        binascii.a2b_base64(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return False
    return True
