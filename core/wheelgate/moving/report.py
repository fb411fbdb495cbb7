"""The report of an import: a JSON file that only its owner can read, since it has values that were left out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wheelgate.disk import write_all
from wheelgate.errors import StartupError
from wheelgate.fields import MASK
from wheelgate.moving.adding.counts import AddedCounts
from wheelgate.moving.file_check import Counts
from wheelgate.moving.findings import Findings
from wheelgate.services.index_json import mask_secrets

SECRET_WORDS = ("password", "passwd", "pwhash", "secret", "token", "credential", "apikey", "api_key")
"""Parts of keys whose values are secrets."""


def write_report(
    path: Path, source: Path | str, counts: Counts | AddedCounts, findings: Findings, seconds: float
) -> None:
    """Write the report.

    Raises:
        StartupError: the file cannot be written.
    """
    report = {
        "source": without_secrets(str(source)),
        "counts": asdict(counts),
        "faults": findings.faults,
        "findings": [without_secrets(finding.as_json()) for finding in findings.found],
        "seconds": round(seconds, 3),
    }
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            write_all(descriptor, json.dumps(report, indent=2).encode() + b"\n")
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StartupError(f"--report: cannot write {path}: {error.strerror}") from None


def without_secrets(value: Any, key: str = "") -> Any:
    """Return a JSON value without the logins in URLs, and without what a key calls a secret."""
    if isinstance(value, Mapping):
        return {name: without_secrets(entry, str(name)) for name, entry in value.items()}
    if isinstance(value, list):
        return [without_secrets(entry, key) for entry in value]
    if value and any(word in key.lower() for word in SECRET_WORDS):
        return MASK
    return mask_secrets(value) if isinstance(value, str) and "://" in value else value
