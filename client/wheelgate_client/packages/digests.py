"""The digests that an index gives of a file, and their verification."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

FRAGMENT_SEPARATORS = re.compile(r"[&#]")
"""What separates the parts of a fragment such as ``egg=abc&sha256=…`` (PEP 503)."""
VERIFIABLE_HASHES = frozenset(name for name in hashlib.algorithms_guaranteed if not name.startswith("shake"))
"""The hashes whose digests have one length. Other names are ignored, for example ``egg`` in a fragment."""

Digest = tuple[str, str]
"""The name of a hash and the hexadecimal digest, both in lower case."""


def link_digests(link: Mapping[str, object]) -> tuple[Digest, ...]:
    """Return all digests of a link: those in ``hashes``, in ``hash_spec`` and in the fragment of ``href``.

    A text that is no digest stays in the result: no file matches it.
    """
    hashes = link.get("hashes")
    given = list(hashes.items()) if isinstance(hashes, dict) else []
    for text in (link.get("hash_spec"), urlsplit(str(link.get("href"))).fragment):
        given += _named_values(text) if isinstance(text, str) else []
    pairs = ((str(name).strip().lower(), str(value).strip().lower()) for name, value in given if value is not None)
    return tuple(dict.fromkeys((name, value) for name, value in pairs if name in VERIFIABLE_HASHES and value))


class DigestVerifier:
    """Hashes the chunks of one file, and compares the results with the digests of its link."""

    def __init__(self, digests: Sequence[Digest]) -> None:
        self._digests = digests
        self._hashers: dict[str, Any] = {name: hashlib.new(name, usedforsecurity=False) for name, _ in digests}

    def update(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        for hasher in self._hashers.values():
            hasher.update(chunk)

    def mismatch(self) -> Digest | None:
        """Return the first digest of the file that is not the one of its link; None if all match."""
        for name, expected in self._digests:
            found = self._hashers[name].hexdigest()
            if found != expected:
                return name, found
        return None


def _named_values(text: str) -> Iterable[tuple[str, str]]:
    parts: Iterator[tuple[str, str, str]] = (part.partition("=") for part in FRAGMENT_SEPARATORS.split(unquote(text)))
    return [(name, value) for name, _, value in parts]
