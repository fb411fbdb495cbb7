"""The form in which passwords are compared and stored."""

from __future__ import annotations

import unicodedata

from wheelgate.errors import BadInput
from wheelgate.values import MAX_PASSWORD_BYTES

MAX_GIVEN_PASSWORD_BYTES = 3 * MAX_PASSWORD_BYTES
"""Bytes of a password in any form: NFC makes text at most three times as short, as in Hangul."""

LEGACY_SHA256_PREFIX = "$devpi-sha256$"
"""The beginning of an imported hash from before devpi 4.2; salt, ``$`` and SHA-256 of salt and password follow."""


def normalized_password(given: str) -> str:
    """Return a password in Unicode's normal form NFC.

    Normalising takes time with the square of the number of combining marks in a row: those of a megabyte take minutes,
    during which no other thread runs. So the length is checked before, too.

    Raises:
        BadInput: the password has more than ``MAX_PASSWORD_BYTES`` bytes.
    """
    if _size(given) <= MAX_GIVEN_PASSWORD_BYTES:
        password = unicodedata.normalize("NFC", given)
        if _size(password) <= MAX_PASSWORD_BYTES:
            return password
    raise BadInput(f"'password' must have at most {MAX_PASSWORD_BYTES} bytes")


def _size(text: str) -> int:
    """Return the bytes of a text; credentials may contain halves of surrogate pairs, which no stored password has."""
    return len(text.encode("utf-8", "surrogatepass"))
