"""Digital attestations as tools upload them, and the provenance that is served (PEP 740)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from wheelgate.errors import BadInput

LONGEST = 1 << 20
"""Bytes of all attestations of a file; one takes some 10 KB."""
MOST = 20
"""Tools send two: one of the publication, one of the build."""
ATTESTATION = {"version": int, "verification_material": dict, "envelope": dict}
ENVELOPE = {"statement": str, "signature": str}


def parse_attestations(text: str) -> bytes:
    """Read the field ``attestations`` and return the provenance of the file, a JSON document.

    Their form is checked, not their signatures: that is for whoever installs, who must not trust the server either.

    Raises:
        BadInput: the field holds something else.
    """
    if len(text) > LONGEST:
        raise _wrong(f"they are longer than {LONGEST >> 20} MiB")
    try:
        given = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        raise _wrong("they are no JSON") from None
    if not isinstance(given, list) or not 0 < len(given) <= MOST:
        raise _wrong(f"they must be a JSON list of 1 to {MOST}")
    for attestation in given:
        if not _has(attestation, ATTESTATION) or not _has(attestation["envelope"], ENVELOPE):
            raise _wrong(
                "one of them lacks version, verification_material, or an envelope with statement and signature"
            )
        if attestation["version"] != 1:
            raise _wrong("one of them is of another version than 1")
    bundle = {"publisher": {"kind": "wheelgate", "claims": None}, "attestations": given}
    return orjson.dumps({"version": 1, "attestation_bundles": [bundle]})


def _has(thing: Any, keys: Mapping[str, type]) -> bool:
    return isinstance(thing, dict) and all(isinstance(thing.get(key), kind) for key, kind in keys.items())


def _wrong(why: str) -> BadInput:
    return BadInput(f"the attestations cannot be used: {why} (PEP 740); upload without them, or correct them")
