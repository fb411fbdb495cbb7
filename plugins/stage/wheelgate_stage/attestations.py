"""Digital attestations from upload tools, and the provenance that is served for them (PEP 740)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from wheelgate.errors import BadInput

MAX_ATTESTATIONS_CHARS = 1 << 20
"""Characters of the form field with all attestations of a file; one takes some 10 KB."""
MAX_ATTESTATIONS = 20
"""Attestations of a file. Tools send two: one of the publication, one of the build."""
ATTESTATION_KEYS = {"version": int, "verification_material": dict, "envelope": dict}
"""The keys that an attestation must have, and the types of their values."""
ENVELOPE_KEYS = {"statement": str, "signature": str}
"""The same for the envelope in an attestation."""


def parse_attestations(text: str) -> bytes:
    """Read the form field ``attestations``; return the provenance of the file, a JSON document.

    The server checks the form of attestations, not their signatures: the users who install verify those, and need not
    trust the server for it.

    Raises:
        BadInput: the field contains something else.
    """
    if len(text) > MAX_ATTESTATIONS_CHARS:
        raise _invalid(f"they are longer than {MAX_ATTESTATIONS_CHARS >> 20} MiB")
    try:
        attestations = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        raise _invalid("they are not JSON") from None
    if not isinstance(attestations, list) or not 0 < len(attestations) <= MAX_ATTESTATIONS:
        raise _invalid(f"they must be a JSON list of 1 to {MAX_ATTESTATIONS}")
    for attestation in attestations:
        if not _has(attestation, ATTESTATION_KEYS) or not _has(attestation["envelope"], ENVELOPE_KEYS):
            raise _invalid(
                "one of them lacks version, verification_material, or an envelope with statement and signature"
            )
        if attestation["version"] != 1:
            raise _invalid("one of them has another version than 1")
    bundle = {"publisher": {"kind": "wheelgate", "claims": None}, "attestations": attestations}
    return orjson.dumps({"version": 1, "attestation_bundles": [bundle]})


def _has(value: Any, keys: Mapping[str, type]) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), expected) for key, expected in keys.items())


def _invalid(why: str) -> BadInput:
    return BadInput(f"the attestations cannot be used: {why} (PEP 740); upload without them, or correct them")
