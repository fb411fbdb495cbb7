"""Digital attestations from upload tools, and the provenance that is served for them (PEP 740)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from wheelgate.errors import BadInput

MAX_ATTESTATIONS_CHARS = 1 << 20
"""Characters of the form field with all attestations of a file; one takes some 10 KB."""
MAX_ATTESTATIONS = 20
"""Attestations of a file. Tools send two: one of the publication, one of the build."""
ATTESTATION_KEYS = {"version": int, "verification_material": dict, "envelope": dict}
"""The keys that an attestation must have, and the types of their values."""
GITHUB_SUBJECT = re.compile(rb"https://github\.com/([\w.-]+/[\w.-]+)/\.github/workflows/([\w.-]+\.ya?ml)@refs/")
GITLAB_SUBJECT = re.compile(rb"https://gitlab\.com/([\w.-]+(?:/[\w.-]+)+)//([\w./-]+\.ya?ml)@refs/")
"""The workflow in the subject of a certificate from Sigstore, for the publishers that PEP 740 verifiers know."""
ENVELOPE_KEYS = {"statement": str, "signature": str}
"""The same for the envelope in an attestation."""


IsThisFile = Callable[[str, str], bool]
"""Says whether a file name and a SHA-256 in hexadecimal digits are those of the uploaded file."""


def parse_attestations(text: str, is_this_file: IsThisFile) -> bytes | None:
    """Read the form field ``attestations``; return the provenance of the file, a JSON document.

    The server checks the form of attestations and which file they are about, not their signatures: the users who
    install verify those, and need not trust the server for it. A provenance must name a publisher of a kind that
    verifiers know. It comes from the certificates; if one has none, there is no provenance.

    Raises:
        BadInput: the field contains something else, or an attestation about another file.
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
        if not is_about(attestation["envelope"]["statement"], is_this_file):
            raise _invalid("one of them is about another file than the uploaded one")
    publishers = [publisher_of(attestation["verification_material"]) for attestation in attestations]
    bundles = [
        {"publisher": publisher, "attestations": [attestation]}
        for publisher, attestation in zip(publishers, attestations, strict=True)
        if publisher is not None
    ]
    return orjson.dumps({"version": 1, "attestation_bundles": bundles}) if len(bundles) == len(attestations) else None


def is_about(statement: str, is_this_file: IsThisFile) -> bool:
    """Return whether a statement is about one file, the uploaded one (in-toto Statement v1, encoded in base64)."""
    try:
        content = orjson.loads(base64.b64decode(statement, validate=True))
        (subject,) = content["subject"]
        name, digest = subject["name"], subject["digest"]["sha256"]
    except (ValueError, TypeError, LookupError):
        return False
    return isinstance(name, str) and isinstance(digest, str) and is_this_file(name, digest)


def publisher_of(material: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the publisher that a certificate names as its subject; None if it is of no known kind.

    The subject is an ASCII text in the certificate (RFC 5280, section 4.2.1.6), so that no library has to decode it.
    """
    try:
        certificate = base64.b64decode(material["certificate"], validate=True)
    except (ValueError, TypeError, LookupError):
        return None
    if github := GITHUB_SUBJECT.search(certificate):
        repository, workflow = (group.decode() for group in github.groups())
        return {"kind": "GitHub", "claims": {}, "repository": repository, "workflow": workflow}
    if gitlab := GITLAB_SUBJECT.search(certificate):
        repository, workflow = (group.decode() for group in gitlab.groups())
        return {"kind": "GitLab", "claims": {}, "repository": repository, "workflow_filepath": workflow}
    return None


def _has(value: Any, keys: Mapping[str, type]) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), expected) for key, expected in keys.items())


def _invalid(why: str) -> BadInput:
    return BadInput(f"the attestations cannot be used: {why} (PEP 740); upload without them, or correct them")
