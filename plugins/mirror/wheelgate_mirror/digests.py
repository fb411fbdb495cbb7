"""The digests that an upstream gives of a file: in the fragment of a link (PEP 503), or in JSON (PEP 691).

A digest that cannot be read is an error, never a file without digests: that file could be replaced by any other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

FRAGMENT_SEPARATORS = re.compile(r"[&#]")
"""What separates the parts of a fragment; pip finds a digest after either."""
HEX_DIGITS = re.compile(r"[0-9a-f]+")
DIGEST_HEX_DIGITS = {
    name: 2 * hashlib.new(name, usedforsecurity=False).digest_size
    for name in hashlib.algorithms_guaranteed
    if not name.startswith("shake")
}
"""The number of hexadecimal digits of each hash that ``hashlib`` can verify."""


class UnverifiableError(ValueError):
    """Raised for a file whose digest cannot be read, or that has two digests that differ."""


def fragment_digests(fragment: str) -> dict[str, str]:
    """Return the digests in a fragment such as ``egg=abc&sha256=…``, in any order and percent-encoded or not.

    Raises:
        UnverifiableError: see :func:`checked_digests`.
    """
    parts = (part.partition("=") for part in FRAGMENT_SEPARATORS.split(unquote(fragment)))
    return checked_digests((name, value) for name, _, value in parts)


def json_digests(given: object) -> dict[str, str]:
    """Return the digests in the value of ``hashes`` (PEP 691).

    Raises:
        UnverifiableError: see :func:`checked_digests`.
    """
    if not isinstance(given, Mapping | None):
        raise UnverifiableError("the hashes are not an object")
    return checked_digests((given or {}).items())


def metadata_sha256(given: object) -> str | None:
    """Return the sha256 of the metadata next to a file from the value of ``core-metadata`` (PEP 714).

    It is empty if the upstream has metadata without a digest, and None if it has none, or none that can be verified:
    installers then read the metadata in the file itself.
    """
    if given is True or given == {} or (isinstance(given, str) and given.strip().lower() == "true"):
        return ""
    try:
        digests = fragment_digests(given) if isinstance(given, str) else json_digests(given or None)
    except UnverifiableError:
        return None
    return digests.get("sha256")


def checked_digests(given: Iterable[tuple[str, object]]) -> dict[str, str]:
    """Return the digests that ``hashlib`` can verify, by name and in lower case.

    Other names are ignored: those of hashes that this server does not have, and ``egg`` or ``subdirectory`` in a
    fragment. A name without a value counts as not given, as it does for pip.

    Raises:
        UnverifiableError: a value is no digest, or two digests of one name differ.
    """
    digests: dict[str, str] = {}
    for raw_name, value in given:
        name, text = raw_name.strip().lower(), value.strip().lower() if isinstance(value, str) else value
        digits = DIGEST_HEX_DIGITS.get(name)
        if digits is None or text in (None, ""):
            continue
        if not isinstance(text, str) or len(text) != digits or not HEX_DIGITS.fullmatch(text):
            raise UnverifiableError(f"the {name} is not a digest")
        if digests.setdefault(name, text) != text:
            raise UnverifiableError(f"there are two different digests named {name}")
    return digests
